//! Fuzzing, in short: every target sees its corpus and then, for some seconds, what libFuzzer makes of it.
//!
//! The targets are compiled as `cargo fuzz` does without a sanitizer, which the stable toolchain can.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Bench;
use super::count::Tally;
use crate::process::{Ended, Program};
use crate::project::Project;

/// How long each target runs, unless this variable says otherwise; in seconds.
const SECONDS: (&str, u32) = ("HOLDFAST_FUZZ_SECONDS", 5);

/// What makes the compiler tell libFuzzer which way an input takes.
const COVERAGE: [&str; 7] = [
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// An input that takes longer than ten seconds or more memory than this, in megabytes, is a finding.
const LIMITS: [&str; 4] = [
    "-timeout=10",
    "-rss_limit_mb=1024",
    "-malloc_limit_mb=512",
    "-max_len=4096",
];

/// Targets that see only their corpus unless a time is asked for, each with its reason.
const REPLAYED: &[(&str, &str)] = &[(
    "differential",
    "it still finds operations that no library writes, and that mean different things to the two",
)];

/// Runs all targets. Each counts as one test.
pub fn run(bench: &mut Bench) -> Result<Tally> {
    let project = bench.project;
    let targets = targets(&project.root.join("fuzz/fuzz_targets"))?;
    let binaries = build(project)?;
    let mut tally = Tally::default();
    for target in &targets {
        tally += fuzz(project, &binaries, target)?;
    }
    Ok(tally)
}

/// The targets' names: those of their files.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("there are no targets in {}", folder.display()))?;
    let sources = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = sources
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    if names.is_empty() {
        bail!("there are no targets in {}", folder.display());
    }
    names.sort();
    Ok(names)
}

/// What fuzzing keeps apart from the other builds, whose flags differ.
fn folder(project: &Project) -> PathBuf {
    project.target.join("fuzz")
}

/// Builds all targets at once. The folder that they are in.
fn build(project: &Project) -> Result<PathBuf> {
    let host = host()?;
    // With a target named, the flags don't apply to build scripts and macros.
    Program::cargo()
        .args(["build", "--package", "holdfast-fuzz", "--bins", "--profile", "fuzz"])
        .args(["--target", &host])
        .env("RUSTFLAGS", COVERAGE.join(" "))
        .env("CARGO_TARGET_DIR", folder(project))
        .folder(&project.root)
        .run(&project.console)?;
    Ok(folder(project).join(host).join("fuzz"))
}

/// The machine's own target, as the compiler calls it.
fn host() -> Result<String> {
    let version = Program::new("rustc").arg("-vV").answer();
    let version = version.context("`rustc -vV` failed")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}

fn fuzz(project: &Project, binaries: &Path, target: &str) -> Result<Tally> {
    let found = fresh(&folder(project).join("found").join(target))?;
    let artifacts = folder(project).join("artifacts").join(target).join("");
    std::fs::create_dir_all(&artifacts).with_context(|| format!("creating {}", artifacts.display()))?;
    let mut prefix = OsString::from("-artifact_prefix=");
    prefix.push(&artifacts);
    let asked = std::env::var(SECONDS.0).ok();
    let time = match &asked {
        Some(seconds) => format!("-max_total_time={seconds}"),
        None if REPLAYED.iter().any(|(replayed, _)| *replayed == target) => "-runs=0".to_owned(),
        None => format!("-max_total_time={}", SECONDS.1),
    };
    let ended = Program::new(binaries.join(target))
        .args(LIMITS)
        .arg(time)
        // A short run takes the same way each time; a long one is to find new ones.
        .arg(if asked.is_some() { "-seed=0" } else { "-seed=1" })
        .arg(prefix)
        .arg(&found)
        .arg(project.root.join("fuzz/corpus").join(target))
        .folder(&project.root)
        .finish(&project.console)?;
    tell(project, target, &ended);
    Ok(Tally::one(ended.success))
}

/// The folder, with nothing in it.
fn fresh(folder: &Path) -> Result<PathBuf> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {}", folder.display()));
        }
        _ => {}
    }
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder.to_owned())
}

/// What was found, and how to see it again.
fn tell(project: &Project, target: &str, ended: &Ended) {
    if ended.success {
        return;
    }
    project.console.failed_output(&ended.lines);
    project.console.say(&format!("      {target}: {}", ended.status));
    if let Some(input) = finding(&ended.lines) {
        project.console.say(&format!(
            "      the input is {input}\n      see it again: cargo run -p holdfast-fuzz --bin {target} -- {input}"
        ));
    }
}

/// The file that libFuzzer says it has written the input to.
fn finding(lines: &[String]) -> Option<&str> {
    let (_, input) = lines
        .iter()
        .rev()
        .find_map(|line| line.split_once("Test unit written to "))?;
    Some(input.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_of_a_crash_is_found_in_what_libfuzzer_prints() {
        let lines = [
            "==42== ERROR: libFuzzer: deadly signal",
            "artifact_prefix='/x/'; Test unit written to /x/crash-da39a3ee",
            "Base64: AA==",
        ];
        let lines = lines.map(str::to_owned);
        assert_eq!(finding(&lines), Some("/x/crash-da39a3ee"));
        assert_eq!(finding(&lines[..1]), None);
    }

    #[test]
    fn every_target_has_a_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for target in targets(&fuzz.join("fuzz_targets")).expect("there are targets") {
            let files = std::fs::read_dir(fuzz.join("corpus").join(&target)).map(Iterator::count);
            assert!(files.is_ok_and(|files| files > 0), "{target} has none");
        }
    }
}
