//! The checksums over the documents as the stream has them, which devices and the hospital's server compare with theirs.
//!
//! ```text
//!  stream's  =  all documents − those that something relayed writes to + the same in the base
//! ```

use holdfast_core::{checksum::Checksums, ids::Timestamp, protocol::ScopeChecksum, schema::SCHEMA_VERSION};
use rusqlite::Connection;

use crate::{StoreError, base, checksums, meta};

/// In `sync_meta`: when a difference was last told of.
pub(crate) const DIFFERED: &str = "differed_at";

/// After how many microseconds a copy that did not help is tried again: an hour.
const PATIENCE: i64 = 60 * 60 * 1_000_000;

/// Works the stream's sums out anew. Only what comes in the stream changes them.
pub(super) fn renew(connection: &Connection) -> Result<Checksums, StoreError> {
    let mut sums = checksums::get(connection)?;
    for heads in base::heads(connection)? {
        sums.replace(heads.id, &heads.document, &heads.base);
    }
    checksums::set_stream(connection, sums)?;
    Ok(sums)
}

/// True if the hospital's server has another sum, unless that was told less than an hour ago.
pub(super) fn differ(
    connection: &Connection,
    sums: Checksums,
    expected: &ScopeChecksum,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if expected.schema_version != SCHEMA_VERSION || sums.visible(expected.restricted) == expected.sum {
        return Ok(false);
    }
    let told: Option<i64> = meta::get(connection, DIFFERED)?;
    if told.is_some_and(|at| now.0.saturating_sub(at) < PATIENCE) {
        return Ok(false);
    }
    meta::set(connection, DIFFERED, now.0)?;
    Ok(true)
}
