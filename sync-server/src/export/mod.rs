//! Writes documents as files that every Automerge library loads.
//!
//! A file is its document's changes one after the other, byte for byte as the log has them. Stream order is causal: nothing
//! is accepted before what it builds on.
//!
//! ```text
//!  log ── page by page ──► changes by document ── append ──► TABLE/ROW.automerge ── read back ──► manifest.csv
//! ```
//!
//! *Architecture invariant*: memory holds one page of the log, one document, and the names of one table's files.

mod chunks;
mod error;
mod folder;
mod manifest;

use std::{collections::BTreeMap, path::Path};

pub use chunks::changes;
pub use error::ExportError;
pub use folder::file_name;
pub use manifest::MANIFEST;

use folder::Folder;
use holdfast_core::{
    document::DocumentId,
    ids::{RowId, Seq},
    schema::TableId,
    transaction::LogEntry,
};

use crate::store::Store;

const PAGE_ENTRIES: usize = 2_000;
const PAGE_BYTES: usize = 8 << 20;

/// Which documents are written. A row brings its restricted part with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    /// All.
    All,
    /// A table's.
    Table(TableId),
    /// A row's.
    Row(TableId, RowId),
}

impl Selection {
    fn takes(self, id: &DocumentId) -> bool {
        match self {
            Self::All => true,
            Self::Table(table) => id.table == table,
            Self::Row(table, row) => id.table == table && id.row == row,
        }
    }
}

/// How far an export is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The log is read.
    Reading {
        /// Up to here.
        at: Seq,
        /// Its end.
        end: Seq,
    },
    /// The files are read back for the manifest.
    Listing {
        /// So many are listed.
        files: u64,
    },
}

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    /// Files, one for each document.
    pub files: u64,
    /// Changes in them.
    pub changes: u64,
}

/// Writes the selected documents of a store, as they are at the stream's present end, into a folder. It is made if it is not
/// there and must be empty, unless `force` lets go of an earlier export in it. The manifest is written last: a folder
/// without one holds an export that broke off.
pub async fn export(
    store: &Store,
    selection: Selection,
    folder: &Path,
    force: bool,
    mut progress: impl FnMut(Progress),
) -> Result<Summary, ExportError> {
    let folder = Folder::prepare(folder, force)?;
    let end = store.head().await?;
    let mut at = Seq(0);
    while at < end {
        let entries = store.pull(at, PAGE_ENTRIES, PAGE_BYTES).await?.entries;
        at = entries.last().ok_or(ExportError::Gap { after: at, end })?.seq;
        let page = page(&folder, selection, entries.iter().filter(|entry| entry.seq <= end))?;
        for (id, bytes) in &page {
            folder.append(*id, bytes)?;
        }
        progress(Progress::Reading { at: at.min(end), end });
    }
    manifest::write(&folder, |files| progress(Progress::Listing { files }))
}

/// What a page of the log adds to each document's file.
fn page<'a>(
    folder: &Folder,
    selection: Selection,
    entries: impl Iterator<Item = &'a LogEntry>,
) -> Result<BTreeMap<DocumentId, Vec<u8>>, ExportError> {
    let mut page: BTreeMap<DocumentId, Vec<u8>> = BTreeMap::new();
    for entry in entries {
        let damaged = |source| ExportError::Damaged { seq: entry.seq, source };
        let body = entry.transaction.body().map_err(damaged)?;
        if !body.changes.iter().any(|name| selection.takes(&name.document)) {
            continue;
        }
        let opened = entry.transaction.open().map_err(damaged)?;
        let changes = opened.changes.iter().zip(&entry.transaction.changes);
        for (name, (decoded, bytes)) in body.changes.iter().zip(changes) {
            if !selection.takes(&name.document) {
                continue;
            }
            let (Some(decoded), Some(bytes)) = (decoded, bytes) else {
                return Err(ExportError::Withheld { seq: entry.seq });
            };
            let added = page.entry(name.document).or_default();
            // Only a change that no device made, an expansion, can come with several transactions.
            let repeated = decoded.change.actor().device().is_none()
                && (chunks::contain(added, name.hash) || folder.contains(name.document, name.hash)?);
            if !repeated {
                added.extend_from_slice(bytes);
            }
        }
    }
    Ok(page)
}
