//! Runs many seeds and says how it goes: the nightly form of the simulation.

use std::{
    process::ExitCode,
    sync::Mutex,
    time::{Duration, Instant},
};

use clap::Parser;
use holdfast_simulation::report::{Seeds, Summary, regression, run_seeds};

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(10);

/// Drives simulated devices, hubs and a server through faulty weeks, one run for each seed.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Begins no seed after so many minutes.
    #[arg(long)]
    minutes: Option<u64>,
    /// Ends after so many seeds have failed.
    #[arg(long, default_value_t = 5)]
    failures: usize,
    /// Leaves out the seeds whose runs have no hubs.
    #[arg(long)]
    hubs: bool,
    /// Does not look for the shortest run that fails.
    #[arg(long)]
    no_shrink: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seeds = Seeds {
        from: arguments.from,
        count: arguments.seeds,
        time: arguments.minutes.map(|minutes| Duration::from_secs(60 * minutes)),
        failures: arguments.failures,
        hubs: arguments.hubs,
    };
    std::panic::set_hook(Box::new(|_| {}));
    let begun = Instant::now();
    let told = Mutex::new((begun, 0));
    let tell = |summary: &Summary| {
        println!(
            "{} seeds, {:.1} seeds/s, {} failed; {}",
            summary.seeds,
            f64::from(u32::try_from(summary.seeds).unwrap_or(u32::MAX)) / begun.elapsed().as_secs_f64(),
            summary.failures.len(),
            summary.tally
        );
    };
    let summary = run_seeds(seeds, None, &|summary| {
        let Ok(mut told) = told.lock() else { return };
        for failure in &summary.failures[told.1..] {
            println!("seed {} failed {}", failure.seed, failure.violation);
        }
        told.1 = summary.failures.len();
        if told.0.elapsed() > EVERY {
            told.0 = Instant::now();
            tell(summary);
        }
    });
    tell(&summary);
    for failure in &summary.failures {
        println!("\nseed {} failed {}", failure.seed, failure.violation);
        if !arguments.no_shrink {
            println!("\n{}", regression(failure));
        }
    }
    if summary.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
