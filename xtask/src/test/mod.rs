//! `cargo xtask test`: every check and test as a named step, a table of how they went, and one last line that counts.

mod count;
mod fuzz;
mod steps;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;

use self::count::Tally;
use self::steps::{STEPS, Step, Work};
use crate::console::seconds;
use crate::interrupt::{self, Interrupted};
use crate::postgres::Cluster;
use crate::process::ProgramFailed;
use crate::project::Project;
use crate::setup::packages::Need;

/// What to test.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Runs only these steps, and what they need.
    #[arg(long, num_args = 1.., value_delimiter = ',', value_parser = PossibleValuesParser::new(steps::names()))]
    only: Vec<String>,
}

/// What steps share.
pub struct Bench<'a> {
    /// The checkout.
    pub project: &'a Project,
    /// What the chosen steps need from the system's packages.
    pub needs: Vec<Need>,
    /// PostgreSQL, once its step has started it.
    pub cluster: Option<Cluster>,
}

/// How a step went.
struct Row {
    name: &'static str,
    took: Duration,
    passed: bool,
    tally: Option<Tally>,
}

/// Runs the steps. The exit status tells whether all passed.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let chosen = choose(&options.only);
    let needs = chosen.iter().flat_map(|step| step.packages).copied().collect();
    let mut bench = Bench {
        project,
        needs,
        cluster: None,
    };
    let mut rows: Vec<Row> = Vec::new();
    for step in chosen {
        let row = run_step(&mut bench, step, &rows)?;
        rows.push(row);
    }
    drop(bench);
    Ok(summarize(project, &rows))
}

/// The steps to run, in order: those named and what they need, or all.
fn choose(only: &[String]) -> Vec<&'static Step> {
    let mut names: Vec<&str> = only.iter().map(String::as_str).collect();
    if names.is_empty() {
        return STEPS.iter().collect();
    }
    // What a step needs stands before it, so one pass from the end finds everything.
    for step in STEPS.iter().rev() {
        if names.contains(&step.name) {
            names.extend(step.after);
        }
    }
    STEPS.iter().filter(|step| names.contains(&step.name)).collect()
}

/// Runs one step, unless what it needs has failed. Only an interruption is an error.
fn run_step(bench: &mut Bench, step: &Step, rows: &[Row]) -> Result<Row> {
    let project = bench.project;
    let console = &project.console;
    if interrupt::requested() {
        bail!(Interrupted);
    }
    console.begin(step.name);
    let broken = rows.iter().find(|row| !row.passed && step.after.contains(&row.name));
    let (passed, tally, note) = if let Some(broken) = broken {
        (
            false,
            Some(Tally::one(false)),
            format!("not run: {} failed", broken.name),
        )
    } else {
        match step.run(bench) {
            Ok((passed, tally, note)) => (passed, tally, note),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                if let Some(failed) = error.downcast_ref::<ProgramFailed>() {
                    console.failed_output(&failed.lines);
                }
                console.say(&format!("      {error:#}"));
                (false, Some(Tally::one(false)), String::new())
            }
        }
    };
    let took = console.end(passed, &note);
    Ok(Row {
        name: step.name,
        took,
        passed,
        tally,
    })
}

impl Step {
    /// Whether it passed, what it counts, and what to say behind its name.
    fn run(&self, bench: &mut Bench) -> Result<(bool, Option<Tally>, String)> {
        Ok(match self.work {
            Work::SetUp(work) => (true, None, work(bench)?.note().to_owned()),
            Work::Check(work) => {
                work(bench)?;
                (true, Some(Tally::one(true)), String::new())
            }
            Work::Tests(work) => {
                let tally = work(bench)?;
                (tally.failed == 0, Some(tally), tally.to_string())
            }
        })
    }
}

/// Prints the table and, last, the count.
fn summarize(project: &Project, rows: &[Row]) -> ExitCode {
    let console = &project.console;
    let mut sum = Tally::default();
    let mut time = Duration::ZERO;
    console.say("\n  step                    time          passed  failed");
    for row in rows {
        time += row.took;
        let counts = row.tally.map_or(String::new(), |tally| {
            format!("{:>6}  {:>6}", tally.passed, tally.failed)
        });
        let mark = if row.passed { "" } else { "  <-- failed" };
        console.say(&format!(
            "  {:<20} {:>12}    {counts}{mark}",
            row.name,
            seconds(row.took)
        ));
        sum += row.tally.unwrap_or_default();
    }
    console.say(&format!("  {:<20} {:>12}", "all", seconds(time)));
    if sum.ignored > 0 {
        console.say(&format!("  {} tests are left out by their authors", sum.ignored));
    }
    console.say(&format!("\n{} passed, {} failed", sum.passed, sum.failed));
    if sum.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_behind_all_that_they_need() {
        for (place, step) in STEPS.iter().enumerate() {
            for needed in step.after {
                let found = STEPS.iter().position(|other| other.name == *needed);
                assert!(found.is_some_and(|found| found < place), "{} needs {needed}", step.name);
            }
        }
    }

    #[test]
    fn choosing_a_step_chooses_what_it_needs() {
        let names = |only: &str| {
            choose(&[only.to_owned()])
                .iter()
                .map(|step| step.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("format"), ["rust-tools", "format"]);
        assert!(names("browser").starts_with(&["packages", "rust-tools", "web-packages"]));
        assert!(!names("browser").contains(&"clippy"));
    }
}
