//! The checksums over all stored documents, in `sync_meta`.

use holdfast_core::{
    checksum::Checksums,
    document::{Document, DocumentId},
    ids::{RowId, Seq},
};
use rusqlite::Connection;

use crate::{StoreError, meta, sql_value::uuid};

const KEY: &str = "checksums";

/// On a hub: those over the documents as the stream has them.
const STREAM_KEY: &str = "stream_checksums";

/// As they were kept up to date. A store that has none yet has no documents: see [`ensure`].
pub(crate) fn get(connection: &Connection) -> Result<Checksums, StoreError> {
    read(meta::get::<Vec<u8>>(connection, KEY)?.as_deref())
}

fn read(bytes: Option<&[u8]>) -> Result<Checksums, StoreError> {
    match bytes {
        None => Ok(Checksums::default()),
        Some(bytes) => Checksums::from_bytes(bytes).ok_or_else(|| StoreError::corrupt("its checksums are unreadable")),
    }
}

/// A server's over the documents as the stream has them, with the stream's end that they belong to.
pub(crate) fn at_head(connection: &Connection) -> Result<(Seq, Checksums), StoreError> {
    // One statement sees one state of the database.
    let sql = "SELECT (SELECT value FROM sync_meta WHERE key = 'head'),
        coalesce((SELECT value FROM sync_meta WHERE key = ?2), (SELECT value FROM sync_meta WHERE key = ?1))";
    let mut statement = connection.prepare_cached(sql)?;
    let (head, sums): (Option<i64>, Option<Vec<u8>>) =
        statement.query_row([KEY, STREAM_KEY], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((Seq(head.unwrap_or(0) as u64), read(sums.as_deref())?))
}

/// Documents are others now by so much.
pub(crate) fn add(connection: &Connection, change: Checksums) -> Result<(), StoreError> {
    if change == Checksums::default() {
        return Ok(());
    }
    let mut sums = get(connection)?;
    sums += change;
    set(connection, sums)
}

fn set(connection: &Connection, sums: Checksums) -> Result<(), StoreError> {
    meta::set(connection, KEY, sums.to_bytes())
}

/// Keeps a hub's over the documents as the stream has them.
pub(crate) fn set_stream(connection: &Connection, sums: Checksums) -> Result<(), StoreError> {
    meta::set(connection, STREAM_KEY, sums.to_bytes())
}

/// There are no documents any more.
pub(crate) fn forget(connection: &Connection) -> Result<(), StoreError> {
    set(connection, Checksums::default())
}

/// Counts a store that an older version wrote.
pub(crate) fn ensure(connection: &Connection) -> Result<(), StoreError> {
    if meta::get::<Vec<u8>>(connection, KEY)?.is_none() {
        renew(connection)?;
    }
    Ok(())
}

/// Counts the documents that are stored and keeps what comes out.
pub(crate) fn renew(connection: &Connection) -> Result<Checksums, StoreError> {
    let mut sums = Checksums::default();
    let mut statement = connection.prepare("SELECT part, row, state FROM sync_documents")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let id = DocumentId::from_part(
            row.get(0)?,
            RowId(uuid(row.get_ref(1)?.as_blob().map_err(StoreError::corrupt)?)?),
        );
        let state = row.get_ref(2)?.as_blob().map_err(StoreError::corrupt)?;
        sums.replace(id, &[], &Document::heads_of(state).map_err(StoreError::corrupt)?);
    }
    set(connection, sums)?;
    Ok(sums)
}
