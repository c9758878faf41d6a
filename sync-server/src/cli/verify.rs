//! `sync-server verify`.

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use super::StoreOptions;
use crate::verify::{self, Phase, Progress, verify};

const EXAMPLES: &str = "\
Examples:
  sync-server verify --data /var/lib/holdfast
  sync-server verify --database postgres://holdfast@db/hospital --json > verified.json

Only reads, from one state of the store, and may run beside a working server. Exit status 0 if the store is what its log
says, 1 if it differs, 2 if it could not be verified.";

/// How long nothing is told of the progress.
const PATIENCE: Duration = Duration::from_secs(2);

/// Folds the whole log anew and compares: entries, signatures, documents, all tables.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    #[command(flatten)]
    store: StoreOptions,
    /// How many differences of each table are told; all are counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// The folder for the scratch file, which grows about as large as the store; the system's temporary folder if not given.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Prints one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: Options) -> ExitCode {
    let location = match options.store.location() {
        Ok(location) => location,
        Err(error) => return failed(&error),
    };
    let verifying = verify::Options {
        limit: options.limit,
        scratch: options.scratch,
    };
    let mut told = Instant::now();
    let progress = |progress: Progress| {
        if told.elapsed() >= PATIENCE {
            told = Instant::now();
            eprintln!("{}", line(&progress));
        }
    };
    let report = match verify(&location, &verifying, progress).await {
        Ok(report) => report,
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("verifying {}", options.store.describe()));
            return failed(&error);
        }
    };
    if options.json {
        println!("{}", report.to_json());
    } else {
        print!("{}", report.to_text());
    }
    ExitCode::from(u8::from(!report.passed()))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("sync-server: {error:#}");
    ExitCode::from(2)
}

fn line(progress: &Progress) -> String {
    let Progress { done, total, .. } = progress;
    let what = match progress.phase {
        Phase::Fold => "entries folded",
        Phase::Compare => "rows compared",
    };
    let left = progress.left().as_secs();
    format!("{done} of {total} {what}, {}/s, {left} s left", progress.rate())
}
