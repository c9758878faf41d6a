//! `cargo xtask bench`: measurements, each beside a peer or a limit, in one table: `docs/benchmarks.md`.
//!
//! ```text
//!  program of a benchmark ── figures, every run (JSON) ──► record: docs/benchmarks.json ──► docs/benchmarks.md
//! ```

mod benchmark;
mod document;
mod figure;
mod markdown;
mod record;
mod surroundings;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::benchmark::{ALL, Benchmark};
use self::record::Record;
use crate::console::seconds;
use crate::interrupt::{self, Interrupted};
use crate::project::Project;

/// What to measure.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "With --rows, --devices or --only a benchmark is a quick one: it is printed, and docs/benchmarks.md stays."
)]
pub struct Options {
    /// The benchmarks' names; all of them if none is given.
    names: Vec<String>,
    /// Says which there are and measures nothing.
    #[arg(long)]
    list: bool,
    /// How often each is measured; the table has the median and the spread. Long ones are measured once unless told.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// How many rows, or documents.
    #[arg(long, value_name = "N")]
    rows: Option<u32>,
    /// How many devices.
    #[arg(long, value_name = "N")]
    devices: Option<u32>,
    /// On this database only, where a benchmark knows several.
    #[arg(long, value_name = "DATABASE", value_parser = ["postgres", "sqlite"])]
    only: Option<String>,
}

impl Options {
    /// Not what the table is about.
    fn quick(&self) -> bool {
        self.rows.is_some() || self.devices.is_some() || self.only.is_some()
    }
}

/// Runs the chosen benchmarks and writes the table.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    if options.list {
        for benchmark in &ALL {
            project
                .console
                .say(&format!("{:<16} {}", benchmark.name, benchmark.about));
        }
        return Ok(());
    }
    let chosen = chosen(&options.names)?;
    let begun = Instant::now();
    for (place, benchmark) in (1..).zip(&chosen) {
        if interrupt::requested() {
            bail!(Interrupted);
        }
        let head = format!(
            "\n{place} of {}: {} ({})",
            chosen.len(),
            benchmark.name,
            benchmark.about
        );
        project.console.say(&head);
        let since = Instant::now();
        let part = benchmark.run(project, options);
        let part = part.with_context(|| format!("the benchmark \"{}\" failed", benchmark.name))?;
        project.console.say(&format!("\n{}", markdown::part(&part)));
        if !options.quick() {
            // After each, so that an interruption loses none that is done.
            let mut record = Record::read(project)?;
            record.replace(part);
            record.write(project)?;
        }
        project
            .console
            .say(&format!("{} took {}", benchmark.name, seconds(since.elapsed())));
    }
    let where_to = if options.quick() {
        "nothing was kept: a quick run"
    } else {
        "docs/benchmarks.md is written"
    };
    project
        .console
        .say(&format!("\n{where_to}; {} in all", seconds(begun.elapsed())));
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Benchmark>> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    let find = |name: &String| {
        let known: Vec<&str> = ALL.iter().map(|benchmark| benchmark.name).collect();
        let found = ALL.iter().find(|benchmark| benchmark.name == name);
        found.with_context(|| format!("there is no benchmark \"{name}\"; there are {}", known.join(", ")))
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_found_by_name_in_the_order_asked_for() {
        let names = ["pull".to_owned(), "push".to_owned()];
        let found: Vec<&str> = chosen(&names).unwrap().iter().map(|b| b.name).collect();
        assert_eq!(found, ["pull", "push"]);
        assert_eq!(chosen(&[]).unwrap().len(), ALL.len());
        let error = chosen(&["pusch".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("pusch") && error.contains("pull"), "{error}");
    }
}
