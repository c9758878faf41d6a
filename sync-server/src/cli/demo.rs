//! `sync-server demo`.

use std::{process::ExitCode, time::Instant};

use anyhow::Context;

use super::StoreOptions;
use crate::demo::{self, Size};

const EXAMPLES: &str = "\
Examples:
  sync-server demo
  sync-server demo --beds 900 --patients 50000 --database postgres://holdfast@db/demo

All names, addresses and illnesses are invented. The same size and seed give the same people, around the present day.";

/// Fills an empty hospital with invented people, beds and treatments: all 33 tables.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    #[command(flatten)]
    store: StoreOptions,
    /// How many beds; at least 20.
    #[arg(long, value_name = "N", default_value_t = 300)]
    beds: usize,
    /// How many patients, in beds and beyond; at least 60.
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    patients: usize,
    /// Another seed gives other people.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Adds the demo hospital to rows that are there already.
    #[arg(long)]
    add: bool,
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let store = options.store.open_own().await?;
    let size = Size {
        beds: options.beds,
        patients: options.patients,
    };
    let started = Instant::now();
    let progress = |rows| eprintln!("{rows} rows, {} rows/s", demo::per_second(rows, started));
    let demo_options = demo::Options {
        size,
        seed: options.seed,
        add: options.add,
    };
    let filled = demo::fill(&store, demo_options, progress)
        .await
        .with_context(|| format!("filling {}", options.store.describe()))?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "A demo hospital with {} rows, made in {seconds:.1} s. Everybody in it is invented.",
        filled.rows
    );
    println!("Demo sign-ins, all with the password \"{}\":", demo::PASSWORD);
    for (name, role) in &filled.sign_ins {
        println!("  {name:16} {role}");
    }
    Ok(ExitCode::SUCCESS)
}
