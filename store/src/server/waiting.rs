//! What waits for changes and rows that have not come yet, as `sync_waiting` keeps it. Who waits for what is core's [`Waiting`].

use std::collections::BTreeSet;

use holdfast_core::{
    document::DocumentId,
    ids::{DeviceId, RowId, Timestamp, TransactionId},
    ingest::waiting::{self, Awaited, Limits, Waiter, Waiting, own_changes},
    protocol,
    transaction::{ChangeName, Opened, Transaction},
};
use rusqlite::{Connection, OptionalExtension};

use super::{ServerStore, Submission};
use crate::{
    StoreError,
    sql_value::{uuid, uuid_text},
};

/// How much waits, for whoever watches the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WaitingCount {
    /// Transactions.
    pub transactions: u64,
    /// Since when the first of them has waited.
    pub since: Option<Timestamp>,
}

impl ServerStore {
    /// How many transactions wait for changes or rows that have not come yet.
    pub fn waiting(&self) -> Result<WaitingCount, StoreError> {
        let sql = "SELECT count(*), min(since) FROM sync_waiting";
        let (count, since): (i64, Option<i64>) = self
            .connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(WaitingCount {
            transactions: count as u64,
            since: since.map(Timestamp),
        })
    }
}

/// All that waits. What came at a time that is still to come waits since now: the clock was set back.
pub(super) fn load(connection: &Connection, now: Timestamp) -> Result<Waiting, StoreError> {
    let mut waiting = Waiting::new(Limits::default());
    connection
        .prepare_cached("UPDATE sync_waiting SET since = ?1 WHERE since > ?1")?
        .execute([now.0])?;
    let sql = "SELECT n, id, device, since, length(entry) FROM sync_waiting ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let n: i64 = row.get(0)?;
        waiting.restore(Waiter {
            id: TransactionId(uuid(&row.get::<_, Vec<u8>>(1)?)?),
            device: DeviceId(uuid_text(&row.get::<_, String>(2)?)?),
            since: Timestamp(row.get(3)?),
            bytes: row.get::<_, i64>(4)? as usize,
            missing: names(connection, n, false)?,
            brings: names(connection, n, true)?,
        });
    }
    Ok(waiting)
}

fn names(connection: &Connection, n: i64, brings: bool) -> Result<BTreeSet<Awaited>, StoreError> {
    let sql = "SELECT part, row, hash FROM sync_waiting_changes WHERE n = ?1 AND brings = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query((n, brings))?;
    let mut names = BTreeSet::new();
    while let Some(row) = found.next()? {
        let document = DocumentId::from_part(row.get(0)?, RowId(uuid(&row.get::<_, Vec<u8>>(1)?)?));
        let hash = row.get_ref(2)?.as_blob().map_err(StoreError::corrupt)?;
        let name = Awaited::from_parts(document, hash);
        names.insert(name.ok_or_else(|| StoreError::corrupt("a hash is not 32 bytes"))?);
    }
    Ok(names)
}

/// Keeps a transaction that waits.
pub(super) fn keep(connection: &Connection, submission: &Submission, waiter: &Waiter) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_waiting (id, device, role, import, since, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute((
        waiter.id.0.as_bytes(),
        waiter.device.to_string(),
        submission.role.as_str(),
        submission.import,
        waiter.since.0,
        protocol::encode(&submission.transaction),
    ))?;
    let n = connection.last_insert_rowid();
    let sql = "INSERT INTO sync_waiting_changes (n, brings, part, row, hash) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = connection.prepare_cached(sql)?;
    for (brings, names) in [(false, &waiter.missing), (true, &waiter.brings)] {
        for name in names {
            let id = name.document();
            insert.execute((n, brings, id.part(), id.row.0.as_bytes(), name.hash()))?;
        }
    }
    Ok(())
}

/// Nobody waits for these any more.
pub(super) fn arrived(connection: &Connection, names: &[Awaited]) -> Result<(), StoreError> {
    let sql = "DELETE FROM sync_waiting_changes WHERE hash = ?1 AND part = ?2 AND row = ?3 AND NOT brings";
    let mut delete = connection.prepare_cached(sql)?;
    for name in names {
        let id = name.document();
        delete.execute((name.hash(), id.part(), id.row.0.as_bytes()))?;
    }
    Ok(())
}

/// Nobody waits any more for what this transaction brings, as far as what is stored tells.
pub(crate) fn await_no_longer(connection: &Connection, opened: &Opened) -> Result<(), StoreError> {
    let brought: Vec<Awaited> = waiting::arrived(opened).collect();
    arrived(connection, &brought)
}

/// A transaction that waits here is in the stream, or another one of its id.
pub(crate) fn leave(connection: &Connection, id: TransactionId) -> Result<(), StoreError> {
    let sql = "DELETE FROM sync_waiting WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([id.0.as_bytes()])?;
    Ok(())
}

/// Takes a transaction out.
pub(super) fn take(connection: &Connection, id: TransactionId) -> Result<Submission, StoreError> {
    let sql = "DELETE FROM sync_waiting WHERE id = ?1 RETURNING role, import, entry";
    let (role, import, entry): (String, bool, Vec<u8>) = connection
        .prepare_cached(sql)?
        .query_row([id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let transaction: Transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
    Ok(Submission {
        opened: transaction.open().map_err(StoreError::corrupt)?,
        transaction,
        role: role.parse().map_err(StoreError::corrupt)?,
        import,
        objection: None,
    })
}

/// A transaction that waits, as it came.
pub(super) fn entry(connection: &Connection, id: TransactionId) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT entry FROM sync_waiting WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?)
}

/// Remembers the changes of a transaction that is refused: what builds on them is refused too.
pub(super) fn refuse(connection: &Connection, opened: &Opened) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO sync_refused_changes (part, row, hash) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    for name in own_changes(opened) {
        let id = name.document;
        insert.execute((id.part(), id.row.0.as_bytes(), name.hash.0))?;
    }
    Ok(())
}

/// The first of these changes that came with a transaction that was refused.
pub(super) fn refused(connection: &Connection, names: &BTreeSet<Awaited>) -> Result<Option<ChangeName>, StoreError> {
    let sql = "SELECT 1 FROM sync_refused_changes WHERE part = ?1 AND row = ?2 AND hash = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    for awaited in names {
        let Awaited::Change(name) = awaited else { continue };
        let id = name.document;
        if statement.exists((id.part(), id.row.0.as_bytes(), name.hash.0))? {
            return Ok(Some(*name));
        }
    }
    Ok(None)
}
