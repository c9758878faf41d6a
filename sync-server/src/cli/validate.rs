//! `sync-server validate`.

use std::process::ExitCode;

use super::StoreOptions;
use crate::validate::validate;

const EXAMPLES: &str = "\
Examples:
  sync-server validate --database postgres://holdfast@db/hospital
  sync-server validate --data ./data --format json

Exit status 0 if everything passed, 1 if something did not. Rows are written and deleted in one transaction that is rolled
back; nothing stays, and a running server is not disturbed.";

/// Checks a database before and after a deployment: tables, columns, keys, and that rows can be written.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    #[command(flatten)]
    store: StoreOptions,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let report = validate(&options.store.location()?).await;
    match options.format {
        Format::Table => print!("{}", report.to_table()),
        Format::Json => println!("{}", report.to_json()),
    }
    Ok(if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
