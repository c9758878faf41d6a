//! What a check found, and how it is shown: a table for people, JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

/// How a check went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// Not tried, because of another one that failed.
    Skipped,
    /// Neither good nor bad.
    Note,
}

/// One line of the report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was found: `33 of 33`.
    pub found: String,
    /// Each thing that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    /// A check that passed.
    pub fn passed(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            outcome: Outcome::Passed,
            found: found.into(),
            problems: Vec::new(),
            advice: None,
        }
    }

    /// A check that failed, with each thing that is wrong and what to do.
    pub fn failed(name: &'static str, found: impl Into<String>, problems: Vec<String>, advice: &str) -> Self {
        let advice = Some(advice.to_owned());
        Self {
            name,
            outcome: Outcome::Failed,
            found: found.into(),
            problems,
            advice,
        }
    }

    /// A check that was not tried.
    pub fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Skipped,
            ..Self::passed(name, why)
        }
    }

    /// Something to know.
    pub fn note(name: &'static str, found: impl Into<String>, problems: Vec<String>) -> Self {
        Self {
            outcome: Outcome::Note,
            problems,
            ..Self::passed(name, found)
        }
    }

    /// Passed if nothing is wrong: `33 of 33`, or `32 of 33` with what is wrong.
    pub fn counted(name: &'static str, expected: usize, wrong: usize, problems: Vec<String>, advice: &str) -> Self {
        let found = format!("{} of {expected}", expected - wrong);
        if problems.is_empty() {
            Self::passed(name, found)
        } else {
            Self::failed(name, found, problems, advice)
        }
    }
}

/// All that was checked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

impl Report {
    /// True if nothing failed.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Failed)
    }

    /// The check of this name.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// For programs.
    pub fn to_json(&self) -> String {
        serde_json::json!({ "passed": self.passed(), "checks": self.checks }).to_string()
    }

    /// For people: a line for each check, below it what is wrong and what to do.
    pub fn to_table(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut out = String::new();
        for check in &self.checks {
            let mark = match check.outcome {
                Outcome::Passed => "ok    ",
                Outcome::Failed => "FAILED",
                Outcome::Skipped => "-     ",
                Outcome::Note => "note  ",
            };
            let _ = writeln!(out, "{mark}  {:width$}  {}", check.name, check.found);
            for problem in &check.problems {
                let _ = writeln!(out, "          {problem}");
            }
            if let Some(advice) = &check.advice {
                let _ = writeln!(out, "          What to do: {advice}");
            }
        }
        let failed = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Failed)
            .count();
        let passed = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Passed)
            .count();
        let _ = match failed {
            0 => writeln!(out, "\nAll {passed} checks passed."),
            _ => writeln!(out, "\n{passed} checks passed, {failed} failed."),
        };
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lines_up_and_says_what_to_do() {
        let checks = vec![
            Check::passed("tables", "33 of 33"),
            Check::counted("foreign keys", 69, 1, vec!["beds.room_id".into()], "add it"),
        ];
        let report = Report { checks };
        assert!(!report.passed());
        assert_eq!(
            report.to_table(),
            "ok      tables        33 of 33\n\
             FAILED  foreign keys  68 of 69\n          beds.room_id\n          What to do: add it\n\n\
             1 checks passed, 1 failed.\n"
        );
    }
}
