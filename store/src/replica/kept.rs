//! What was done here and is in the stream: the newest of it is kept, so that a server which was put back to a backup gets it
//! again.

use holdfast_core::{
    ids::{Seq, TransactionId},
    protocol::{self, PullResponse},
    transaction::{Opened, Transaction},
};
use rusqlite::Connection;

use crate::{StoreError, sql_value::uuid};

/// How many are kept: weeks of a busy person's work, some megabytes.
const LIMIT: i64 = 2_000;

/// What the outbox and this have in common.
const COLUMNS: &str = "n, id, entry, command, name, summary, user, role, new_ids, made_at, offline, first_id, receipt";

/// Keeps a transaction of the outbox that the stream has now, at this place if it is known. Once some are kept, [`trim`].
pub(super) fn keep(connection: &Connection, n: i64, seq: impl Into<Option<Seq>>) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT OR REPLACE INTO sync_kept ({COLUMNS}, seq, doubtful)
            SELECT {COLUMNS}, ?2, 0 FROM sync_outbox WHERE n = ?1"
    );
    connection
        .prepare_cached(&sql)?
        .execute((n, seq.into().map(|seq| seq.0 as i64)))?;
    Ok(())
}

/// Lets go of all but the newest. It walks over all of them: once for an answer of the server, not for each transaction.
pub(super) fn trim(connection: &Connection) -> Result<(), StoreError> {
    let sql = "DELETE FROM sync_kept WHERE n <= (SELECT n FROM sync_kept ORDER BY n DESC LIMIT 1 OFFSET ?1)";
    connection.prepare_cached(sql)?.execute([LIMIT])?;
    Ok(())
}

/// True if a page after this place does not have what the server acknowledged before: it has lost it. A hub may only be
/// behind.
pub(super) fn contradicts(
    connection: &Connection,
    after: Seq,
    page: &PullResponse,
    from_hub: bool,
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT seq, id FROM sync_kept WHERE seq > ?1")?;
    let mut found = statement.query([after.0 as i64])?;
    while let Some(row) = found.next()? {
        let seq = Seq(row.get::<_, i64>(0)? as u64);
        if seq > page.head && !from_hub {
            return Ok(true);
        }
        if seq > page.cursor {
            continue;
        }
        let id = TransactionId(uuid(&row.get::<_, Vec<u8>>(1)?)?);
        let entry = page.entries.iter().find(|entry| entry.seq == seq);
        if !entry.is_some_and(|entry| entry.transaction.body().is_ok_and(|body| body.id == id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The server may have lost all that is kept.
pub(super) fn doubt(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("UPDATE sync_kept SET doubtful = 1", [])?;
    Ok(())
}

/// All that is kept.
pub(super) fn all(connection: &Connection) -> Result<Vec<(i64, Opened)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n, entry FROM sync_kept ORDER BY n")?;
    let mut found = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let entry: Vec<u8> = row.get(1)?;
        let transaction: Transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
        all.push((row.get(0)?, transaction.open().map_err(StoreError::corrupt)?));
    }
    Ok(all)
}

/// The server has lost one: it waits in the outbox again, at its old place.
pub(super) fn give_back(connection: &Connection, n: i64) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT OR REPLACE INTO sync_outbox ({COLUMNS}, state, given)
            SELECT {COLUMNS}, 'waiting', 1 FROM sync_kept WHERE n = ?1"
    );
    connection.prepare_cached(&sql)?.execute([n])?;
    let sql = "DELETE FROM sync_kept WHERE n = ?1";
    connection.prepare_cached(sql)?.execute([n])?;
    Ok(())
}

/// The server has all that is kept; what was doubtful may have got another place.
pub(super) fn settle(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("UPDATE sync_kept SET doubtful = 0, seq = NULL WHERE doubtful", [])?;
    Ok(())
}

/// Forgets everything: from now on another hospital is here.
pub(super) fn forget(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("DELETE FROM sync_kept", [])?;
    Ok(())
}
