//! How far into the stream the pages of a copy have looked. A copy goes on from its first page's place, but its last page may
//! show what came much later. If the server is put back to a backup between the two, the copy holds what no stream has: so
//! each place at which a page was read must be met again, as it was, on the way to the end of the stream.

use holdfast_core::{
    ids::Seq,
    protocol::{PullResponse, SnapshotResponse},
    transaction::Mark,
};
use rusqlite::Connection;

use crate::{StoreError, meta};

/// In `sync_meta`: `SEQ MARK` a line.
pub(super) const KEY: &str = "snapshot_seen";

/// A page was read there. Called with the pages of a copy in their order.
pub(super) fn note(connection: &Connection, first: bool, page: &SnapshotResponse) -> Result<(), StoreError> {
    let mut seen = if first { Vec::new() } else { read(connection)? };
    if let Some(mark) = &page.mark
        && seen.last().is_none_or(|(seq, last)| (*seq, last) != (page.as_of, mark))
    {
        seen.push((page.as_of, mark.clone()));
    }
    write(connection, &seen)
}

/// True if a page of the stream after this place does not have what was seen. A hub may be behind what it gave no page of.
pub(super) fn contradicts(
    connection: &Connection,
    after: Seq,
    page: &PullResponse,
    from_hub: bool,
) -> Result<bool, StoreError> {
    for (seq, mark) in read(connection)?.into_iter().filter(|(seq, _)| *seq > after) {
        if seq > page.head && !from_hub {
            return Ok(true);
        }
        if seq > page.cursor {
            continue;
        }
        let entry = page.entries.iter().find(|entry| entry.seq == seq);
        let found = entry
            .map(|entry| entry.mark().map_err(StoreError::corrupt))
            .transpose()?;
        if found != Some(mark) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The replica is there now.
pub(super) fn reach(connection: &Connection, cursor: Seq) -> Result<(), StoreError> {
    let seen = read(connection)?;
    if !seen.is_empty() {
        let left: Vec<_> = seen.into_iter().filter(|(seq, _)| *seq > cursor).collect();
        write(connection, &left)?;
    }
    Ok(())
}

/// True if the replica is at every place at which a page was read: only then it has just what the stream has up to its cursor.
pub(super) fn all_reached(connection: &Connection) -> Result<bool, StoreError> {
    Ok(read(connection)?.is_empty())
}

fn read(connection: &Connection) -> Result<Vec<(Seq, Mark)>, StoreError> {
    let text: Option<String> = meta::get(connection, KEY)?;
    let line = |line: &str| {
        let (seq, mark) = line.split_once(' ')?;
        Some((Seq(seq.parse().ok()?), Mark(mark.to_owned())))
    };
    let lines: Option<_> = text.unwrap_or_default().lines().map(line).collect();
    lines.ok_or_else(|| StoreError::corrupt("what a copy has seen"))
}

fn write(connection: &Connection, seen: &[(Seq, Mark)]) -> Result<(), StoreError> {
    if seen.is_empty() {
        return meta::remove(connection, KEY);
    }
    let lines: Vec<_> = seen.iter().map(|(seq, mark)| format!("{seq} {}", mark.0)).collect();
    meta::set(connection, KEY, lines.join("\n"))
}
