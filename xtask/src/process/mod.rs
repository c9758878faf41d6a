//! Other programs: output gathered, a time limit, nothing left behind, errors that say what to do.

mod output;
mod running;

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::output::{forward, gather};
pub use self::running::Running;
use crate::console::Console;

/// No single program of a build or test run takes longer; one that does hangs.
const DEFAULT_LIMIT: Duration = Duration::from_mins(40);

/// A program to be run, with what to tell people if it fails.
pub struct Program {
    command: Command,
    advice: Option<String>,
    limit: Duration,
    own_group: bool,
}

/// How a program ended, and all that it wrote to both its outputs, in order of arrival.
pub struct Ended {
    /// Whether its exit status was zero.
    pub success: bool,
    /// Its exit status in words.
    pub status: String,
    /// Its output, line by line.
    pub lines: Vec<String>,
    /// How long it ran.
    pub took: Duration,
}

/// A program failed: what it was, what it wrote, what to do about it.
#[derive(Debug)]
pub struct ProgramFailed {
    /// The command line, and how it ended.
    pub summary: String,
    /// Its output, line by line.
    pub lines: Vec<String>,
    /// What to do about it.
    pub advice: Option<String>,
}

impl std::fmt::Display for ProgramFailed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.summary)?;
        self.advice
            .as_ref()
            .map_or(Ok(()), |advice| write!(out, "\n      What to do: {advice}"))
    }
}

impl std::error::Error for ProgramFailed {}

impl Program {
    /// A program found in `PATH`, or by its path. It gets no standard input.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        // Cargo sets these for us; passed on to another cargo they would make it rebuild what watches them.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name);
            }
        }
        Self {
            command,
            advice: None,
            limit: DEFAULT_LIMIT,
            own_group: true,
        }
    }

    /// The cargo that runs us.
    pub fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The folder that it works in.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What to tell people to do if it fails.
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Lets it ask the person at the terminal (for a password); it then shares our Ctrl-C.
    pub fn interactive(mut self) -> Self {
        self.command.stdin(Stdio::inherit());
        self.own_group = false;
        self
    }

    /// Runs it to its end. An error unless it succeeds.
    pub fn run(self, console: &Console) -> Result<Ended> {
        let (name, advice) = (self.name(), self.advice.clone());
        let ended = self.finish(console)?;
        if !ended.success {
            let summary = format!("`{name}` failed: {}", ended.status);
            bail!(ProgramFailed {
                summary,
                lines: ended.lines,
                advice
            });
        }
        Ok(ended)
    }

    /// Runs it to its end, however that is.
    pub fn finish(mut self, console: &Console) -> Result<Ended> {
        // Some programs colour what they write wherever it goes.
        self.command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR");
        let (name, limit) = (self.name(), self.limit);
        let begun = Instant::now();
        let mut running = self.start()?;
        let (sender, receiver) = channel();
        forward(running.child.stdout.take(), sender.clone());
        forward(running.child.stderr.take(), sender);
        let mut lines = Vec::new();
        let status = gather(&mut running, &receiver, console, &mut lines, begun + limit)
            .with_context(|| format!("running `{name}`"))?;
        Ok(Ended {
            success: status.success(),
            status: status.to_string(),
            lines,
            took: begun.elapsed(),
        })
    }

    /// Runs a short question quietly: its standard output, or nothing if it isn't there or fails.
    pub fn answer(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Starts it, with outputs as set (ours, unless told otherwise). It ends when the returned value is dropped.
    pub fn start(mut self) -> Result<Running> {
        if self.own_group {
            self.command.process_group(0);
        }
        let name = self.name();
        let child = self.command.spawn().with_context(|| match &self.advice {
            Some(advice) => format!("cannot start `{name}`\n      What to do: {advice}"),
            None => format!("cannot start `{name}`; is it installed?"),
        })?;
        Ok(Running {
            child,
            own_group: self.own_group,
        })
    }

    /// Sends its outputs to a file.
    pub fn log_to(mut self, file: &Path) -> Result<Self> {
        let log = std::fs::File::create(file).with_context(|| format!("creating {}", file.display()))?;
        self.command
            .stderr(log.try_clone().context("sharing a log file")?)
            .stdout(log);
        Ok(self)
    }

    /// Sends what it answers to a file; what it says on its way still shows.
    pub fn answer_to(mut self, file: &Path) -> Result<Self> {
        let answer = std::fs::File::create(file).with_context(|| format!("creating {}", file.display()))?;
        self.command.stdout(answer);
        Ok(self)
    }

    /// The command line, as a person would type it.
    fn name(&self) -> String {
        let program = Path::new(self.command.get_program()).file_name().unwrap_or_default();
        let words = std::iter::once(program).chain(self.command.get_args());
        words
            .map(|word| word.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("sh").args(["-c", script])
    }

    #[test]
    fn both_outputs_are_gathered_and_the_status_is_told() {
        let ended = shell("echo one; echo two >&2; exit 3")
            .finish(&Console::new(false))
            .unwrap();
        let mut lines = ended.lines;
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        assert!(!ended.success);
    }

    #[test]
    fn a_failure_carries_output_and_advice() {
        let error = shell("echo broken; exit 1")
            .advice("mend it")
            .run(&Console::new(false))
            .err()
            .unwrap();
        let failed = error.downcast_ref::<ProgramFailed>().unwrap();
        assert_eq!(failed.lines, ["broken"]);
        assert!(error.to_string().contains("What to do: mend it"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Program::new("no-such-program-here")
            .run(&Console::new(false))
            .err()
            .unwrap();
        assert!(error.to_string().contains("no-such-program-here"));
    }

    #[test]
    fn dropping_ends_what_the_program_started_too() {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("(sleep 1; touch {0}/alive) & sleep 60", folder.path().display());
        drop(shell(&script).start().unwrap());
        std::thread::sleep(Duration::from_millis(1300));
        assert!(!folder.path().join("alive").exists());
    }
}
