//! A replica that is in step and comes to another checksum than the server has lost or changed something. It says so and
//! copies the hospital anew (see [`super::recopy`]), while people go on working on it.
//!
//! ```text
//!  acknowledged  =  all documents − those that waiting transactions write to + the same in the base
//! ```

use holdfast_core::{
    checksum::Checksum,
    ids::{Seq, Timestamp},
    protocol::ScopeChecksum,
    schema::SCHEMA_VERSION,
    transaction::Opened,
};
use rusqlite::Connection;

use crate::{StoreError, checksums, meta, replica::base, writing::Writing};

/// What is kept about checksums in `sync_meta`.
pub(in crate::replica) const META_KEYS: [&str; 5] =
    ["checksums", "acknowledged_to", "differs_at", "differed_at", "unfolded"];

/// After how many microseconds a copy that did not help is tried again: an hour.
const PATIENCE: i64 = 60 * 60 * 1_000_000;

/// After how many microseconds the stored documents are counted again: an hour.
const COUNTED: i64 = 60 * 60 * 1_000_000;

/// Where in the stream the difference was noticed for which the hospital is copied anew.
pub(super) fn noticed_at(connection: &Connection) -> Result<Option<Seq>, StoreError> {
    Ok(meta::get::<i64>(connection, "differs_at")?.map(|seq| Seq(seq as u64)))
}

/// The hospital has been copied anew.
pub(super) fn copied(connection: &Connection) -> Result<(), StoreError> {
    meta::remove(connection, "differs_at")?;
    meta::remove(connection, "unfolded")?;
    // A server that was put back counts from an earlier place.
    meta::remove(connection, "acknowledged_to")
}

/// The stream has a transaction of this device at this place.
pub(super) fn acknowledged(connection: &Connection, seq: Seq) -> Result<(), StoreError> {
    if meta::get::<i64>(connection, "acknowledged_to")?.is_none_or(|known| (known as u64) < seq.0) {
        meta::set(connection, "acknowledged_to", seq.0 as i64)?;
    }
    Ok(())
}

/// The replica is in step at `head`: compares what was acknowledged here with what the server has. True if the hospital is to
/// be copied anew. `counted`: when the stored documents were last counted.
pub(super) fn differ(
    connection: &Connection,
    head: Seq,
    expected: ScopeChecksum,
    counted: &mut Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let acknowledged: Option<i64> = meta::get(connection, "acknowledged_to")?;
    let restricted: Option<bool> = meta::get(connection, "sees_restricted")?;
    // Over other tables, over other columns, or older than what the server has acknowledged since.
    if expected.schema_version != SCHEMA_VERSION
        || restricted.is_some_and(|sees| sees != expected.restricted)
        || acknowledged.is_some_and(|seq| seq as u64 > head.0)
    {
        return Ok(false);
    }
    if own_sum(connection, counted, now)? == expected.sum {
        return Ok(false);
    }
    let times: i64 = meta::get(connection, "differences")?.unwrap_or(0);
    meta::set(connection, "differences", times + 1)?;
    let tried: Option<i64> = meta::get(connection, "differed_at")?;
    if tried.is_some_and(|at| now.0.saturating_sub(at) < PATIENCE) {
        return Ok(false);
    }
    meta::set(connection, "differed_at", now.0)?;
    meta::set(connection, "differs_at", head.0 as i64)?;
    Ok(true)
}

/// The sum over the documents as the server has acknowledged them. What is kept up to date with each change does not tell
/// what becomes of a document in between, so now and then all are counted.
fn own_sum(connection: &Connection, counted: &mut Option<Timestamp>, now: Timestamp) -> Result<Checksum, StoreError> {
    let mut sums = if counted.is_some_and(|at| now.0.saturating_sub(at.0) < COUNTED) {
        checksums::get(connection)?
    } else {
        *counted = Some(now);
        checksums::renew(connection)?
    };
    for heads in base::heads(connection)? {
        sums.replace(heads.id, &heads.document, &heads.base);
    }
    Ok(sums.visible(true))
}

/// A change of the stream that does not fit is left out of its document: that must not go unseen.
pub(super) fn note_unfolded(connection: &Connection, writing: &Writing<'_>, opened: &Opened) -> Result<(), StoreError> {
    let changes = opened.body.changes.iter().zip(&opened.changes);
    let left_out = changes.filter(|(name, change)| {
        let (Some(change), Some(document)) = (change, writing.set().document(&name.document)) else {
            return false;
        };
        !document.contains(change.change.actor(), change.change.seq)
    });
    let more = left_out.count();
    if more > 0 {
        let known: i64 = meta::get(connection, "unfolded")?.unwrap_or(0);
        meta::set(connection, "unfolded", known + more as i64)?;
    }
    Ok(())
}
