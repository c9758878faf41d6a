//! Reading how many tests passed and failed from what the test programs print.

use serde_json::Value;

/// How many tests passed, failed and were left out.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Tests, or checks, that passed.
    pub passed: usize,
    /// Tests, or checks, that failed.
    pub failed: usize,
    /// Tests that their authors left out.
    pub ignored: usize,
}

impl Tally {
    /// One check.
    pub fn one(passed: bool) -> Self {
        Self {
            passed: usize::from(passed),
            failed: usize::from(!passed),
            ignored: 0,
        }
    }

    /// A program that failed has failed at least one test, whether it could count it or not. One that ran no test at all
    /// has tested nothing, which is a failure too.
    pub fn settled(mut self, success: bool) -> Self {
        let nothing = self.passed + self.failed == 0;
        if self.failed == 0 && (!success || nothing) {
            self.failed = 1;
        }
        self
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored == 0 {
            Ok(())
        } else {
            write!(out, ", {} left out", self.ignored)
        }
    }
}

/// Counts `cargo test`: each test program prints a line of its own, doc tests too. A program that began and printed
/// none of them has crashed.
pub fn cargo_test(lines: &[String]) -> Tally {
    let mut tally = Tally::default();
    let (mut began, mut ended) = (0_usize, 0_usize);
    for line in lines {
        let line = line.trim_start();
        if line.starts_with("Running ") || line.starts_with("Doc-tests ") {
            began += 1;
        } else if let Some(result) = line.strip_prefix("test result: ") {
            ended += 1;
            tally.passed += number_before(result, " passed");
            tally.failed += number_before(result, " failed");
            tally.ignored += number_before(result, " ignored");
        }
    }
    tally.failed += began.saturating_sub(ended);
    tally
}

/// The number that stands before `word`.
fn number_before(text: &str, word: &str) -> usize {
    let before = text.find(word).map_or("", |end| &text[..end]);
    let start = before
        .rfind(|character: char| !character.is_ascii_digit())
        .map_or(0, |at| at + 1);
    before[start..].parse().unwrap_or(0)
}

/// Counts vitest's JSON report. A file that could not be loaded has no tests to count and is one failure.
pub fn vitest(report: &Value) -> Tally {
    let number = |name: &str| report[name].as_u64().map_or(0, |number| number as usize);
    let files = report["testResults"].as_array().map_or(&[][..], Vec::as_slice);
    let is_broken =
        |file: &&Value| file["status"] == "failed" && file["assertionResults"].as_array().is_none_or(Vec::is_empty);
    Tally {
        passed: number("numPassedTests"),
        failed: number("numFailedTests") + files.iter().filter(is_broken).count(),
        ignored: number("numPendingTests") + number("numTodoTests"),
    }
}

/// Counts the end of the TAP report of Node.js' test runner: `# pass 12`.
pub fn node_tap(lines: &[String]) -> Tally {
    let number = |word: &str| {
        let prefix = format!("# {word} ");
        let last = lines.iter().rev().find_map(|line| line.strip_prefix(&prefix));
        last.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    Tally {
        passed: number("pass"),
        failed: number("fail") + number("cancelled"),
        ignored: number("skipped") + number("todo"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn all_programs_of_cargo_test_are_summed_up() {
        let tally = cargo_test(&lines(
            "     Running unittests src/lib.rs (target/debug/deps/core-1)\n\
             test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s\n\
             Doc-tests holdfast_core\n\
             test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ));
        assert_eq!(
            tally,
            Tally {
                passed: 15,
                failed: 2,
                ignored: 1
            }
        );
    }

    #[test]
    fn a_test_program_that_crashed_is_a_failure() {
        let tally = cargo_test(&lines(
            "     Running unittests src/lib.rs (target/debug/deps/core-1)\n\
             error: test failed, to rerun pass `-p core --lib`\n\
             Caused by: process didn't exit successfully (signal: 6, SIGABRT)",
        ));
        assert_eq!(
            tally,
            Tally {
                passed: 0,
                failed: 1,
                ignored: 0
            }
        );
    }

    #[test]
    fn a_failure_that_nobody_counted_and_an_empty_run_are_failures() {
        assert_eq!(Tally::default().settled(false).failed, 1);
        assert_eq!(Tally::default().settled(true).failed, 1);
        assert_eq!(
            Tally {
                passed: 4,
                ..Tally::default()
            }
            .settled(true)
            .failed,
            0
        );
        assert_eq!(
            Tally {
                passed: 4,
                failed: 2,
                ignored: 0
            }
            .settled(false)
            .failed,
            2
        );
    }

    #[test]
    fn vitest_reports_are_read_with_files_that_could_not_be_loaded() {
        let report = json!({
            "numPassedTests": 7, "numFailedTests": 1, "numPendingTests": 0, "numTodoTests": 2,
            "testResults": [
                {"status": "failed", "assertionResults": [{"status": "failed"}]},
                {"status": "failed", "assertionResults": []},
                {"status": "passed", "assertionResults": [{"status": "passed"}]},
            ],
        });
        assert_eq!(
            vitest(&report),
            Tally {
                passed: 7,
                failed: 2,
                ignored: 2
            }
        );
    }

    #[test]
    fn the_totals_of_node_tap_are_read_not_the_nested_ones() {
        let tally = node_tap(&lines(
            "    # pass 99\n# tests 5\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0",
        ));
        assert_eq!(
            tally,
            Tally {
                passed: 3,
                failed: 2,
                ignored: 0
            }
        );
    }
}
