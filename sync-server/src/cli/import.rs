//! `sync-server import`.

use std::{io, path::PathBuf, process::ExitCode};

use anyhow::Context;

use super::StoreOptions;
use crate::import::{Origin, Reporter, import};

const EXAMPLES: &str = "\
Examples:
  sync-server import --from postgres://reader@old/hospital --database postgres://holdfast@db/hospital
  sync-server import --from ./export --report refused.csv

The source is only read. Rows that do not fit are told one by one and do not stop the rest. Run again after mending them:
what is there already is left alone. Exit status 0 if all rows arrived, 2 if some were refused.";

/// Takes over the tables of a hospital's present database, or of a folder of CSV files.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// A PostgreSQL database (postgres://…) or a folder with one TABLE.csv for each table.
    #[arg(long, value_name = "URL|DIR")]
    from: String,
    #[command(flatten)]
    store: StoreOptions,
    /// Also writes what is told about each row to a file: CSV if it ends in .csv, else JSON lines.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let origin = match options.from.as_str() {
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => Origin::Database(url.to_owned()),
        folder => Origin::Folder(folder.into()),
    };
    options.store.open_own().await?;
    let mut reporter = Reporter::new(io::stderr(), options.report.as_deref()).context("making the report file")?;
    let summaries = import(&origin, &options.store.location()?, &mut reporter)
        .await
        .with_context(|| format!("importing into {}", options.store.describe()))?;
    let refused: u64 = summaries.iter().map(|summary| summary.refused).sum();
    reporter.finish(&summaries).context("writing the report")?;
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}
