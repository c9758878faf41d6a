//! `sync_relay`: what the hub took and the stream does not have yet.

use holdfast_core::{
    document::Place,
    ids::{Seq, Timestamp, TransactionId},
    ingest::{Authority, Job},
    policy::Role,
    protocol::{self, PushOutcome},
    schema::Side,
    transaction::{Body, Opened, Transaction},
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{is_copying, list, require};
use crate::{
    ServerStore, StoreError, base,
    server::{Submission, await_no_longer, take_in},
    sql_value::uuid,
    writing::Writing,
};

/// How much is relayed, for whoever watches the hub.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RelayCount {
    /// Transactions that the stream does not have yet.
    pub transactions: u64,
    /// Those of them that the hospital's server has not taken.
    pub unanswered: u64,
    /// Since when the first of them is relayed.
    pub since: Option<Timestamp>,
}

/// A row of the table.
pub(super) struct Relaying {
    pub n: i64,
    pub id: TransactionId,
    pub role: Role,
    /// When it was taken.
    pub since: Timestamp,
    /// It is in the documents here, and devices are told of it.
    pub on_top: bool,
    pub transaction: Transaction,
}

impl Relaying {
    pub fn open(&self) -> Result<Opened, StoreError> {
        self.transaction.open().map_err(StoreError::corrupt)
    }

    /// As it came from its device.
    pub fn into_submission(self, opened: Opened) -> Submission {
        Submission {
            transaction: self.transaction,
            opened,
            role: self.role,
            import: false,
            objection: None,
        }
    }
}

impl ServerStore {
    /// Takes transactions of devices to pass them on, all in one database transaction, in order. An outcome for each:
    /// `Relayed`, or what is known of it already. What waited for one of them follows it at once. An error means that nothing
    /// was taken.
    pub fn relay(&mut self, submissions: &[Submission], now: Timestamp) -> Result<Vec<PushOutcome>, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let hub = require(&transaction)?;
        if is_copying(&transaction)? {
            return Err(StoreError::Copying);
        }
        let outcomes = take_in(&transaction, submissions, now, Some(hub))?;
        transaction.commit()?;
        Ok(outcomes)
    }

    /// How much is relayed.
    pub fn relay_count(&self) -> Result<RelayCount, StoreError> {
        let sql = "SELECT count(*), count(*) FILTER (WHERE accepted IS NULL), min(since) FROM sync_relay";
        let (count, unanswered, since): (i64, i64, Option<i64>) = self
            .connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(RelayCount {
            transactions: count as u64,
            unanswered: unanswered as u64,
            since: since.map(Timestamp),
        })
    }
}

/// Keeps a transaction that was carried out at [`Place::Pending`] and is not written yet.
pub(crate) fn keep(connection: &Connection, submission: &Submission, now: Timestamp) -> Result<(), StoreError> {
    let opened = &submission.opened;
    let sql = "INSERT INTO sync_relay (id, device, role, since, entry) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute((
        opened.body.id.0.as_bytes(),
        opened.body.device.to_string(),
        submission.role.as_str(),
        now.0,
        protocol::encode(&submission.transaction),
    ))?;
    let n = connection.last_insert_rowid();
    base::keep(connection, n, &opened.body)?;
    bring(connection, opened)?;
    list::add(connection, n)
}

/// What came at a time that is still to come is relayed since now: the clock was set back.
pub(super) fn since_now(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE sync_relay SET since = ?1 WHERE since > ?1";
    connection.prepare_cached(sql)?.execute([now.0])?;
    Ok(())
}

/// Its changes are here, though the stream does not have them.
pub(super) fn bring(connection: &Connection, opened: &Opened) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO sync_changes (part, row, hash, seq) VALUES (?1, ?2, ?3, 0)";
    let mut insert = connection.prepare_cached(sql)?;
    for change in &opened.body.changes {
        let id = change.document;
        insert.execute((id.part(), id.row.0.as_bytes(), change.hash.0))?;
    }
    Ok(())
}

/// The inverse of [`bring`].
pub(super) fn take_away(connection: &Connection, opened: &Opened) -> Result<(), StoreError> {
    let sql = "DELETE FROM sync_changes WHERE part = ?1 AND row = ?2 AND hash = ?3 AND seq = 0";
    let mut delete = connection.prepare_cached(sql)?;
    for change in &opened.body.changes {
        let id = change.document;
        delete.execute((id.part(), id.row.0.as_bytes(), change.hash.0))?;
    }
    Ok(())
}

/// A transaction that is relayed, as it came.
pub(crate) fn entry(connection: &Connection, id: TransactionId) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT entry FROM sync_relay WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?)
}

const COLUMNS: &str = "SELECT n, id, role, place IS NOT NULL, entry, since FROM sync_relay";

/// The one with this id.
pub(super) fn find(connection: &Connection, id: TransactionId) -> Result<Option<Relaying>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    let mut found = statement.query([id.0.as_bytes()])?;
    found.next()?.map(read).transpose()
}

/// All: those on top of the stream in the order in which they were put there, for one may have come before what it builds on;
/// then the others, as they came.
pub(super) fn all(connection: &Connection) -> Result<Vec<Relaying>, StoreError> {
    select(connection, &format!("{COLUMNS} ORDER BY place IS NULL, place, n"))
}

fn select(connection: &Connection, sql: &str) -> Result<Vec<Relaying>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut relayed = Vec::new();
    while let Some(row) = found.next()? {
        relayed.push(read(row)?);
    }
    Ok(relayed)
}

fn read(row: &rusqlite::Row<'_>) -> Result<Relaying, StoreError> {
    let (id, role, entry): (Vec<u8>, String, Vec<u8>) = (row.get(1)?, row.get(2)?, row.get(4)?);
    Ok(Relaying {
        n: row.get(0)?,
        id: TransactionId(uuid(&id)?),
        role: role.parse().map_err(StoreError::corrupt)?,
        on_top: row.get(3)?,
        since: Timestamp(row.get(5)?),
        transaction: protocol::decode(&entry).map_err(StoreError::corrupt)?,
    })
}

/// Takes one out.
pub(super) fn remove(connection: &Connection, n: i64, body: &Body) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM sync_relay WHERE n = ?1")?
        .execute([n])?;
    base::leave(connection, n, body)
}

/// The hospital's server has given it this place.
pub(super) fn accepted(connection: &Connection, n: i64, seq: Seq) -> Result<(), StoreError> {
    let sql = "UPDATE sync_relay SET accepted = ?2 WHERE n = ?1";
    connection.prepare_cached(sql)?.execute((n, seq.0 as i64))?;
    Ok(())
}

/// The hospital's stream ends here: what was given a place behind that is pushed again. The server was put back to a backup.
pub(super) fn doubt(connection: &Connection, end: Seq) -> Result<(), StoreError> {
    let sql = "UPDATE sync_relay SET accepted = NULL WHERE accepted > ?1";
    connection.prepare_cached(sql)?.execute([end.0 as i64])?;
    Ok(())
}

/// It is not pushed before this time.
pub(super) fn hold(connection: &Connection, n: i64, until: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE sync_relay SET ask_again = ?2 WHERE n = ?1";
    connection.prepare_cached(sql)?.execute((n, until.0))?;
    Ok(())
}

/// Puts what does not stand on the documents on top of them, where it fits now. The hospital's server decides about the rest.
pub(super) fn lift(connection: &Connection) -> Result<(), StoreError> {
    for relaying in select(connection, &format!("{COLUMNS} WHERE place IS NULL ORDER BY n"))? {
        let opened = relaying.open()?;
        let mut writing = Writing::new(connection, Side::Server, opened.body.time);
        let done = writing.carry_out(&Job::Ingest {
            opened: &opened,
            place: Place::Pending,
            authority: Authority::Judge {
                role: relaying.role,
                import: false,
            },
        })?;
        if done.is_ok() {
            base::keep(connection, relaying.n, &opened.body)?;
            writing.finish()?;
            bring(connection, &opened)?;
            await_no_longer(connection, &opened)?;
            list::add(connection, relaying.n)?;
        }
    }
    Ok(())
}
