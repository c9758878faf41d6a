//! What a reader sees: a line when a step starts, a sign of life while it works, a line when it ends.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a step that prints nothing shows that it is alive, where nobody sees a live line.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// Lines of a failed program's output that are shown: enough for every failing test, not enough to bury the summary.
const SHOWN_LINES: usize = 1500;

/// Where all output of the build tool goes: standard output.
pub struct Console {
    verbose: bool,
    terminal: bool,
    step: RefCell<String>,
    started: Cell<Instant>,
    last_sign: Cell<Instant>,
}

impl Console {
    /// A console that shows every line of every program if `verbose`.
    pub fn new(verbose: bool) -> Self {
        Self {
            verbose,
            terminal: std::io::stdout().is_terminal(),
            step: RefCell::default(),
            started: Cell::new(Instant::now()),
            last_sign: Cell::new(Instant::now()),
        }
    }

    /// A line for people.
    pub fn say(&self, line: &str) {
        self.clear();
        println!("{line}");
    }

    /// A step begins.
    pub fn begin(&self, step: &str) {
        step.clone_into(&mut self.step.borrow_mut());
        self.started.set(Instant::now());
        self.last_sign.set(Instant::now());
        if self.terminal && !self.verbose {
            self.show_live("");
        } else {
            println!("  ..    {step}");
        }
        flush();
    }

    /// The step that began last ended; `note` says how. Returns the time it took.
    pub fn end(&self, passed: bool, note: &str) -> Duration {
        self.clear();
        let took = self.started.get().elapsed();
        let mark = if passed { "ok  " } else { "FAIL" };
        let note = if note.is_empty() {
            String::new()
        } else {
            format!("  ({note})")
        };
        println!("  {mark}  {} {:>12}{note}", pad(&self.step.borrow(), 24), seconds(took));
        flush();
        took
    }

    /// One line of a running program.
    pub fn program_line(&self, line: &str) {
        if self.verbose {
            println!("      {line}");
        } else {
            self.alive(line);
        }
    }

    /// Called several times a second while a program runs: shows that the step is alive.
    pub fn alive(&self, last_line: &str) {
        if self.terminal && !self.verbose {
            if self.last_sign.get().elapsed() >= Duration::from_millis(200) {
                self.last_sign.set(Instant::now());
                self.show_live(last_line);
            }
        } else if self.last_sign.get().elapsed() >= HEARTBEAT {
            self.last_sign.set(Instant::now());
            let took = seconds(self.started.get().elapsed());
            println!(
                "      … {} {took}: {}",
                self.step.borrow(),
                shorten(last_line.trim(), 90)
            );
            flush();
        }
    }

    /// The output of a program that failed. Shown already if verbose.
    pub fn failed_output(&self, lines: &[String]) {
        self.clear();
        if self.verbose {
            return;
        }
        let hidden = lines.len().saturating_sub(SHOWN_LINES);
        if hidden > 0 {
            println!("      | … {hidden} earlier lines; --verbose shows all");
        }
        for line in &lines[hidden..] {
            println!("      | {line}");
        }
        flush();
    }

    fn show_live(&self, last_line: &str) {
        let took = seconds(self.started.get().elapsed());
        let last_line = shorten(last_line.trim(), 60);
        print!(
            "\r\x1b[K  ..    {} {took:>12}  {last_line}",
            pad(&self.step.borrow(), 24)
        );
        flush();
    }

    fn clear(&self) {
        if self.terminal && !self.verbose {
            print!("\r\x1b[K");
        }
    }
}

fn flush() {
    // A reader who closed the pipe wants no more output; the exit status still tells.
    let _ = std::io::stdout().flush();
}

fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// A duration as people read it: `0.4 s`, `3 min 05 s`.
pub fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

fn shorten(text: &str, width: usize) -> String {
    let visible: String = text.chars().filter(|character| !character.is_control()).collect();
    if visible.chars().count() <= width {
        visible
    } else {
        visible.chars().take(width - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(440)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        assert_eq!(shorten("Übergröße", 4), "Übe…");
        assert_eq!(shorten("kurz", 4), "kurz");
    }
}
