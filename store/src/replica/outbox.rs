//! What was done here and has not reached the hospital's server, or was refused. What others did and a hub relays stands in the
//! same table, in the one order in which all came here: see [`super::relayed`].

use holdfast_core::{
    command::Command,
    ids::{HubId, Timestamp, TransactionId, UserId},
    protocol,
    transaction::{Body, Opened, Transaction, TransactionError},
};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Durability, Replica, ReplicaError,
    make::{Giver, Made},
    relayed::{self, Known},
    run::Receipt,
};
use crate::{
    StoreError, base, meta,
    sql_value::{uuid, uuid_text},
};

/// A transaction of this device that the server has not acknowledged, or has refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxEntry {
    /// Its name.
    pub transaction_id: TransactionId,
    /// The command's name.
    pub command: String,
    /// What it was about, in words.
    pub summary: String,
    /// ISO 8601.
    pub made_at: String,
    /// There was no connection.
    pub made_offline: bool,
    /// `waiting`; `held` if the server has it and waits for an earlier entry of another device; or `rejected`
    pub state: String,
    /// How far it has come.
    pub durability: Durability,
    /// Why it was refused.
    pub reason: Option<String>,
    /// What was refused, to be done in another way.
    pub refused: Option<serde_json::Value>,
    /// When what was refused was done in another way. ISO 8601.
    pub mended_at: Option<String>,
}

impl Replica {
    /// What waits and what was refused, in the order it was made.
    pub fn outbox(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        let sql = "SELECT id, name, summary, made_at, offline,
            CASE WHEN state = 'waiting' AND ask_again IS NOT NULL AND hub IS NULL THEN 'held' ELSE state END, reason,
            CASE state WHEN 'rejected' THEN command END, mended_at, hub IS NOT NULL FROM sync_outbox
            WHERE state IN ('waiting', 'rejected') ORDER BY n";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([])?;
        let mut entries = Vec::new();
        while let Some(row) = found.next()? {
            let refused: Option<String> = row.get(7)?;
            let state: String = row.get(5)?;
            entries.push(OutboxEntry {
                transaction_id: TransactionId(uuid(&row.get::<_, Vec<u8>>(0)?)?),
                command: row.get(1)?,
                summary: row.get(2)?,
                made_at: Timestamp(row.get(3)?).to_string(),
                made_offline: row.get(4)?,
                durability: Durability::of_entry(&state, row.get(9)?),
                state,
                reason: row.get(6)?,
                refused: refused
                    .map(|c| serde_json::from_str(&c).map_err(StoreError::corrupt))
                    .transpose()?,
                mended_at: row.get::<_, Option<i64>>(8)?.map(|t| Timestamp(t).to_string()),
            });
        }
        Ok(entries)
    }

    /// Drops a refused transaction for good.
    pub fn discard(&mut self, id: TransactionId) -> Result<(), ReplicaError> {
        let sql = "DELETE FROM sync_outbox WHERE id = ?1 AND state = 'rejected'";
        match self.connection.prepare_cached(sql)?.execute([id.0.as_bytes()])? {
            0 => Err(ReplicaError::NoSuchTransaction),
            _ => Ok(()),
        }
    }
}

/// What was refused is done in another way now.
pub(super) fn mend(connection: &Connection, id: TransactionId, now: Timestamp) -> Result<(), ReplicaError> {
    let sql = "UPDATE sync_outbox SET mended_at = ?2 WHERE id = ?1 AND state = 'rejected'";
    match connection.prepare_cached(sql)?.execute((id.0.as_bytes(), now.0))? {
        0 => Err(ReplicaError::NoSuchTransaction),
        _ => Ok(()),
    }
}

/// A number for what comes to the end: higher than any that is here. What is [kept](super::kept) has its own still.
pub(super) fn next_number(connection: &Connection) -> Result<i64, StoreError> {
    let sql =
        "SELECT 1 + max(coalesce((SELECT max(n) FROM sync_outbox), 0), coalesce((SELECT max(n) FROM sync_kept), 0))";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Adds a transaction at the end, with its number ([`next_number`]), and what its command was answered.
pub(super) fn add(
    connection: &Connection,
    n: i64,
    command: &Command,
    made: &Made,
    giver: &Giver,
    receipt: &Receipt,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_outbox
        (n, id, entry, command, name, summary, user, role, new_ids, made_at, offline, state, receipt)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'waiting', ?12)";
    let body = &made.opened.body;
    connection.prepare_cached(sql)?.execute((
        n,
        body.id.0.as_bytes(),
        protocol::encode(&made.transaction),
        serde_json::to_string(command).map_err(StoreError::corrupt)?,
        made.plan.name,
        &made.plan.summary,
        giver.user.to_string(),
        &giver.role,
        id_bytes(&made.new_ids),
        giver.time.0,
        giver.offline,
        serde_json::to_string(receipt).map_err(StoreError::corrupt)?,
    ))?;
    Ok(())
}

/// What the command was answered that became this transaction, also if it was made again since, or is kept. Who asked and
/// heard no answer (another tab's engine ended) asks again by the same name.
pub(super) fn receipt(connection: &Connection, id: TransactionId) -> Result<Option<Receipt>, StoreError> {
    let sql = "SELECT receipt FROM sync_outbox WHERE (id = ?1 OR first_id = ?1) AND receipt IS NOT NULL
        UNION ALL SELECT receipt FROM sync_kept WHERE (id = ?1 OR first_id = ?1) AND receipt IS NOT NULL";
    let json: Option<String> = connection
        .prepare_cached(sql)?
        .query_row([id.0.as_bytes()], |row| row.get(0))
        .optional()?;
    json.map(|json| serde_json::from_str(&json).map_err(StoreError::corrupt))
        .transpose()
}

fn id_bytes(ids: &[Uuid]) -> Vec<u8> {
    ids.iter().flat_map(|id| *id.as_bytes()).collect()
}

/// A transaction that waits.
pub(super) struct Waiting {
    pub n: i64,
    pub id: TransactionId,
    pub transaction: Transaction,
}

/// The server cannot take a transaction in yet: it is asked again at this time.
pub(super) fn hold(connection: &Connection, n: i64, ask_again: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE sync_outbox SET ask_again = ?2, given = 1 WHERE n = ?1";
    connection.prepare_cached(sql)?.execute((n, ask_again.0))?;
    Ok(())
}

/// These are about to be sent: whoever gets them may take them, also if the answer is lost, or the request itself comes late.
/// Returns those that were never sent before.
pub(super) fn give(connection: &Connection, sent: &[Waiting]) -> Result<Vec<TransactionId>, StoreError> {
    let (Some(first), Some(last)) = (sent.first(), sent.last()) else {
        return Ok(Vec::new());
    };
    let sql =
        "UPDATE sync_outbox SET given = 1 WHERE n BETWEEN ?1 AND ?2 AND state = 'waiting' AND NOT given RETURNING id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query((first.n, last.n))?;
    let mut given = Vec::new();
    while let Some(row) = found.next()? {
        given.push(TransactionId(uuid(&row.get::<_, Vec<u8>>(0)?)?));
    }
    Ok(given)
}

/// The hospital's server has refused one for good: it can be made anew. (A hub's refusal is none of the hospital's server.)
pub(super) fn refused(connection: &Connection, id: TransactionId) -> Result<(), StoreError> {
    if meta::get::<Vec<u8>>(connection, "hub")?.is_none() {
        let sql = "UPDATE sync_outbox SET given = 0 WHERE id = ?1 AND state = 'waiting'";
        connection.prepare_cached(sql)?.execute([id.0.as_bytes()])?;
    }
    Ok(())
}

/// Nobody has read the only request with these.
pub(super) fn take_back(connection: &Connection, ids: &[TransactionId]) -> Result<(), StoreError> {
    let mut update =
        connection.prepare_cached("UPDATE sync_outbox SET given = 0 WHERE id = ?1 AND state = 'waiting'")?;
    for id in ids {
        update.execute([id.0.as_bytes()])?;
    }
    Ok(())
}

/// A hub keeps one and passes it on; the server is asked again at this time.
pub(super) fn at_hub(connection: &Connection, n: i64, hub: HubId, ask_again: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE sync_outbox SET ask_again = ?2, given = 1, hub = ?3, listed = 1 WHERE n = ?1";
    connection
        .prepare_cached(sql)?
        .execute((n, ask_again.0, hub.0.as_bytes()))?;
    Ok(())
}

/// One is sent again at once, though the server has been given it.
pub(super) fn not_held(connection: &Connection, n: i64) -> Result<(), StoreError> {
    let sql = "UPDATE sync_outbox SET ask_again = NULL WHERE n = ?1";
    connection.prepare_cached(sql)?.execute([n])?;
    Ok(())
}

/// The server may have forgotten what it was given: everything that waits is sent.
pub(super) fn ask_again(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("UPDATE sync_outbox SET ask_again = NULL WHERE state = 'waiting'", [])?;
    Ok(())
}

/// How many waiting transactions a hub keeps.
pub(super) fn count_at_hub(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM sync_outbox WHERE state = 'waiting' AND hub IS NOT NULL";
    let count: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

/// How many waiting transactions the server cannot take in yet.
pub(super) fn count_held(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM sync_outbox WHERE state = 'waiting' AND ask_again IS NOT NULL AND hub IS NULL";
    let count: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

/// The refused ones, in order.
pub(super) fn all_refused(connection: &Connection) -> Result<Vec<(i64, Transaction)>, StoreError> {
    let sql = "SELECT n, entry FROM sync_outbox WHERE state = 'rejected' ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let transaction = protocol::decode(&row.get::<_, Vec<u8>>(1)?).map_err(StoreError::corrupt)?;
        all.push((row.get(0)?, transaction));
    }
    Ok(all)
}

/// The waiting transaction with this id.
pub(super) fn waiting(connection: &Connection, id: TransactionId) -> Result<Option<Waiting>, StoreError> {
    let sql = "SELECT n, entry FROM sync_outbox WHERE id = ?1 AND state = 'waiting'";
    let found: Option<(i64, Vec<u8>)> = connection
        .prepare_cached(sql)?
        .query_row([id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((n, entry)) = found else { return Ok(None) };
    let transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
    Ok(Some(Waiting { n, id, transaction }))
}

/// Nothing is held longer than this, in microseconds: a day. A clock that was set back cannot stretch it.
pub(super) const HELD: i64 = 24 * 60 * 60 * 1_000_000;

/// The first waiting transactions that are to be sent now: at most `limit`, and none more after `max_bytes` are full.
pub(super) fn first_to_send(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
    max_bytes: usize,
) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT n, id, entry FROM sync_outbox
        WHERE state = 'waiting' AND (ask_again IS NULL OR ask_again NOT BETWEEN ?1 + 1 AND ?1 + ?3) ORDER BY n LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query((now.0, limit as i64, HELD))?;
    let (mut first, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let entry: Vec<u8> = row.get(2)?;
        bytes += entry.len();
        if bytes > max_bytes && !first.is_empty() {
            break;
        }
        first.push(Waiting {
            n: row.get(0)?,
            id: TransactionId(uuid(&row.get::<_, Vec<u8>>(1)?)?),
            transaction: protocol::decode(&entry).map_err(StoreError::corrupt)?,
        });
    }
    Ok(first)
}

/// A pending transaction: a waiting command, to be made into a transaction again, or what somebody else did.
pub(super) struct Again {
    pub n: i64,
    /// What was made of it.
    pub transaction: Transaction,
    /// Somebody else did it, and a hub relays it.
    pub relayed: bool,
    /// It was sent and not refused: a server may have it, or may yet get it.
    pub given: bool,
    pub command: String,
    pub giver: Giver,
    pub new_ids: Vec<Uuid>,
}

impl Again {
    /// Its changes that are here.
    pub fn open(&self) -> Result<Opened, TransactionError> {
        let opened = self.transaction.open()?;
        Ok(if self.relayed { relayed::visible(opened) } else { opened })
    }
}

/// All pending ones, in order.
pub(super) fn all_pending(connection: &Connection) -> Result<Vec<Again>, StoreError> {
    let sql = "SELECT n, command, user, role, new_ids, made_at, offline, entry, given,
        state = 'relayed', coalesce(first_id, id) FROM sync_outbox WHERE state IN ('waiting', 'relayed') ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let ids: Vec<u8> = row.get(4)?;
        all.push(Again {
            n: row.get(0)?,
            command: row.get(1)?,
            giver: Giver {
                user: UserId(uuid_text(&row.get::<_, String>(2)?)?),
                role: row.get(3)?,
                time: Timestamp(row.get(5)?),
                offline: row.get(6)?,
                first: Some(TransactionId(uuid(&row.get::<_, Vec<u8>>(10)?)?)),
            },
            new_ids: ids.chunks(16).map(uuid).collect::<Result<_, _>>()?,
            transaction: protocol::decode(&row.get::<_, Vec<u8>>(7)?).map_err(StoreError::corrupt)?,
            given: row.get(8)?,
            relayed: row.get(9)?,
        });
    }
    Ok(all)
}

/// Puts the transaction that a command became anew in the place of its old one.
pub(super) fn renew(connection: &Connection, n: i64, made: &Made) -> Result<(), StoreError> {
    let sql =
        "UPDATE sync_outbox SET first_id = coalesce(first_id, id), id = ?2, entry = ?3, summary = ?4, new_ids = ?5,
        ask_again = NULL, given = 0, hub = NULL WHERE n = ?1";
    let body = &made.opened.body;
    connection.prepare_cached(sql)?.execute((
        n,
        body.id.0.as_bytes(),
        protocol::encode(&made.transaction),
        &made.plan.summary,
        id_bytes(&made.new_ids),
    ))?;
    base::keep(connection, n, body)
}

/// Marks a transaction as refused; a person decides what to do.
pub(super) fn reject(connection: &Connection, n: i64, body: &Body, code: &str, reason: &str) -> Result<(), StoreError> {
    if broken!(RefusedDropped) {
        return remove(connection, n, body);
    }
    let sql = "UPDATE sync_outbox SET state = 'rejected', ask_again = NULL, hub = NULL, code = ?2, reason = ?3
        WHERE n = ?1";
    connection.prepare_cached(sql)?.execute((n, code, reason))?;
    base::leave(connection, n, body)
}

/// Takes a transaction out.
pub(super) fn remove(connection: &Connection, n: i64, body: &Body) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM sync_outbox WHERE n = ?1")?
        .execute([n])?;
    base::leave(connection, n, body)
}

/// What this device's transaction of the same command is here, under another name: see [`Body::first`].
pub(super) fn namesake(connection: &Connection, body: &Body) -> Result<Option<Known>, StoreError> {
    let condition = "(id = ?1 OR first_id = ?1) AND id <> ?2 AND state IN ('waiting', 'rejected')";
    relayed::select(
        connection,
        condition,
        (body.first_id().0.as_bytes(), body.id.0.as_bytes()),
    )
}

/// How many are in a state; what was mended is settled.
pub(super) fn count(connection: &Connection, state: &str) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM sync_outbox WHERE state = ?1 AND mended_at IS NULL";
    let count: i64 = connection.prepare_cached(sql)?.query_row([state], |row| row.get(0))?;
    Ok(count as u64)
}

#[cfg(test)]
mod tests {
    use holdfast_core::schema::Side;

    use super::*;
    use crate::{replica::kept, schema};

    #[test]
    fn a_number_is_given_to_nothing_else_that_is_here_or_kept() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::prepare(&mut connection, Side::Device, None).unwrap();
        assert_eq!(next_number(&connection).unwrap(), 1);
        let sql = "INSERT INTO sync_outbox (n, id, entry, command, name, summary, user, role, new_ids, made_at,
            offline, state) VALUES (?1, ?2, x'', '', '', '', '', '', x'', 0, 0, 'waiting')";
        for n in [1, 2] {
            connection.execute(sql, (n, [n; 16])).unwrap();
        }
        assert_eq!(next_number(&connection).unwrap(), 3);
        kept::keep(&connection, 2, None).unwrap();
        connection.execute("DELETE FROM sync_outbox", []).unwrap();
        assert_eq!(next_number(&connection).unwrap(), 3);
    }
}
