//! Takes over a hospital's existing tables: from a PostgreSQL database, or from a folder of CSV files.
//!
//! ```text
//! source ─ pages of text ─► convert ─► known? unique? there already? ─► groups ─► Writer ─► stream and tables
//!                              └────────────┴──────────────┴─ incidents ─┘ (refused, differs, warning)
//! ```
//!
//! *Invariants*
//! - A bad row never stops the rest: it is reported with table, key and reason.
//! - Run again, it imports what is missing and touches nothing that is there.
//! - Tables come in the order of their references; there are no circles among them.

mod convert;
mod csv_folder;
mod database;
mod existing;
mod incident;
mod known;
mod legacy_key;
mod report;
mod source;
mod table;

use std::path::PathBuf;

pub use incident::{Incident, Kind};
pub use report::Reporter;
pub use table::TableSummary;

use holdfast_core::schema::Schema;

use crate::{
    store::{Location, Store, StoreError},
    validate::session::{Session, SessionError},
    writer::Writer,
};
use existing::Existing;
use source::Source;
use table::Taking;

/// Where the rows come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A PostgreSQL database.
    Database(String),
    /// A folder with one `<table>.csv` for each table.
    Folder(PathBuf),
}

/// Why an import broke off. What was imported by then is there; run it again to go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source cannot be read.
    #[error("cannot read the source: {0}")]
    Source(#[source] SessionError),
    /// A file of the source cannot be read.
    #[error("cannot read {file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// The source has none of the tables.
    #[error("{0} has none of the hospital's 33 tables")]
    NoTables(String),
    /// The tables of the store cannot be read.
    #[error("cannot read the hospital's tables: {0}")]
    Target(#[source] SessionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hears how an import goes.
pub trait Listener {
    /// Something that people must know.
    fn incident(&mut self, incident: &Incident);
    /// So many rows of a table are read so far.
    fn progress(&mut self, table: &'static str, read: u64);
    /// A table is done.
    fn table(&mut self, summary: &TableSummary);
}

/// Imports all tables. Tells how many rows of each were read, imported, there already, refused.
pub async fn import(
    origin: &Origin,
    target: &Location,
    listener: &mut dyn Listener,
) -> Result<Vec<TableSummary>, ImportError> {
    let mut source = Source::open(origin).await?;
    source.tell_differences(listener);
    let store = Store::open(target).await?;
    let session = Session::open(target).await.map_err(ImportError::Target)?;
    let existing = Existing::new(session, &store).await?;
    let writer = Writer::new(&store, crate::writer::OPERATOR).await?;
    let mut taking = Taking::new(&store, writer, existing);
    let mut summaries = Vec::new();
    for id in &Schema::hospital().insert_order {
        let table = Schema::hospital().by_id(*id);
        if source.begin(table).await? {
            let summary = taking.table(table, &mut source, listener).await?;
            listener.table(&summary);
            summaries.push(summary);
        }
    }
    Ok(summaries)
}
