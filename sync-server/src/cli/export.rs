//! `sync-server export`.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, bail};
use holdfast_core::{
    ids::RowId,
    schema::{Schema, Table},
};
use uuid::Uuid;

use super::StoreOptions;
use crate::export::{self, Progress, Selection};

const EXAMPLES: &str = "\
Examples:
  sync-server export --to ./documents
  sync-server export --table patients --to ./patients --database postgres://holdfast@db/hospital
  sync-server export --table beds --row 01890a5d-ac96-774b-bcce-b302099a8057 --to ./bed

The store is only read, and may be in use: what comes in meanwhile is left out. Keep the folder as you keep the database:
the files hold all that people wrote, the restricted columns and every earlier value too.";

/// Writes rows as Automerge documents, one file each, with their whole history.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    #[command(flatten)]
    store: StoreOptions,
    /// Only this table.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Only this row: its id, or for a composite key the parts joined with /.
    #[arg(long, value_name = "ID", requires = "table")]
    row: Option<String>,
    /// The folder to write to; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Replaces an earlier export in the folder. Other files there are left alone.
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let selection = selection(options.table.as_deref(), options.row.as_deref())?;
    let store = options.store.open_existing().await?;
    let started = Instant::now();
    let progress = |progress| match progress {
        Progress::Reading { at, end } => eprintln!("read {} of {} transactions", at.0, end.0),
        Progress::Listing { files } => eprintln!("listed {files} documents"),
    };
    let written = export::export(&store, selection, &options.to, options.force, progress)
        .await
        .with_context(|| format!("exporting {}", options.store.describe()))?;
    if let (0, Some(row)) = (written.files, &options.row) {
        bail!("there is no row {row} in {}", options.store.describe());
    }
    println!(
        "{} documents with {} changes in {}, in {:.1} s.",
        written.files,
        written.changes,
        options.to.display(),
        started.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

fn selection(table: Option<&str>, row: Option<&str>) -> anyhow::Result<Selection> {
    let Some(name) = table else { return Ok(Selection::All) };
    let table = Schema::hospital()
        .table(name)
        .with_context(|| format!("there is no table {name}"))?;
    Ok(match row {
        None => Selection::Table(table.id),
        Some(row) => Selection::Row(table.id, row_id(table, row)?),
    })
}

fn row_id(table: &Table, text: &str) -> anyhow::Result<RowId> {
    let parts: Vec<Uuid> = text
        .split('/')
        .map(Uuid::try_parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{text} is no id: ids are UUIDs"))?;
    match parts.as_slice() {
        [id] => Ok(RowId(*id)),
        parts if parts.len() == table.primary_key.len() => Ok(table.row_id(parts)),
        parts => bail!(
            "{text} has {} parts, the key of {} has {}",
            parts.len(),
            table.name,
            table.primary_key.len()
        ),
    }
}
