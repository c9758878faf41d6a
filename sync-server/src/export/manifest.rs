//! The list of what an export holds: `manifest.csv`.

use std::path::Path;

use holdfast_core::{
    document::{DocumentId, Facet},
    ids::ChangeHash,
    schema::Schema,
};

use super::{
    ExportError, Summary, chunks,
    folder::{Folder, failed, file_name},
};
use crate::hex;

/// The list's name in an export's folder.
pub const MANIFEST: &str = "manifest.csv";

/// How often progress is told, in files.
const TELL_EVERY: u64 = 10_000;

/// Reads every file back and lists table, row, part, file, number of changes, and the heads: the changes that no other
/// depends on, in hexadecimal, sorted.
pub(super) fn write(folder: &Folder, mut progress: impl FnMut(u64)) -> Result<Summary, ExportError> {
    let path = folder.path(Path::new(MANIFEST));
    let unwritable = |error: csv::Error| failed(&path)(error.into());
    let mut list = csv::Writer::from_path(&path).map_err(unwritable)?;
    list.write_record(["table", "row", "part", "file", "changes", "heads"])
        .map_err(unwritable)?;
    let mut summary = Summary::default();
    for table in &Schema::hospital().tables {
        for id in folder.documents(table)? {
            let (changes, heads) = read(folder, id)?;
            let heads: Vec<String> = heads.iter().map(|head| hex::encode(&head.0)).collect();
            list.write_record([
                table.name,
                &id.row.to_string(),
                part(id),
                &file_name(id).to_string_lossy(),
                &changes.to_string(),
                &heads.join(" "),
            ])
            .map_err(unwritable)?;
            summary.files += 1;
            summary.changes += changes;
            if summary.files.is_multiple_of(TELL_EVERY) {
                progress(summary.files);
            }
        }
    }
    list.flush().map_err(failed(&path))?;
    Ok(summary)
}

fn part(id: DocumentId) -> &'static str {
    match id.facet {
        Facet::Main => "main",
        Facet::Restricted => "restricted",
    }
}

/// How many changes a file has, and its heads.
fn read(folder: &Folder, id: DocumentId) -> Result<(u64, Vec<ChangeHash>), ExportError> {
    let (mut count, mut heads) = (0, Vec::new());
    for change in chunks::changes(&folder.read(id)?) {
        let decoded = change.map_err(|source| ExportError::Unreadable {
            path: folder.path(&file_name(id)),
            source,
        })?;
        heads.retain(|head| !decoded.change.deps.contains(head));
        heads.push(decoded.hash);
        count += 1;
    }
    heads.sort_unstable();
    Ok((count, heads))
}
