//! What was refused, kept for the auditor.

use holdfast_core::{
    ids::{DeviceId, Timestamp, TransactionId, UserId},
    protocol,
    transaction::Transaction,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::{ServerStore, Submission};
use crate::{
    StoreError,
    sql_value::{uuid, uuid_text},
};

/// A refused transaction.
#[derive(Clone, PartialEq, Debug)]
pub struct Quarantined {
    /// Its name.
    pub id: TransactionId,
    /// Who made it.
    pub user: UserId,
    /// Where.
    pub device: DeviceId,
    /// Machine-readable.
    pub code: String,
    /// For people: which row, and why.
    pub reason: String,
    /// When it was refused.
    pub refused_at: Timestamp,
    /// As it came.
    pub transaction: Transaction,
}

impl ServerStore {
    /// The latest refused transactions, newest first.
    pub fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let sql = "SELECT id, user, device, code, reason, refused_at, entry FROM sync_quarantine
            ORDER BY refused_at DESC, id DESC LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([limit as i64])?;
        let mut refused = Vec::new();
        while let Some(row) = found.next()? {
            let entry: Vec<u8> = row.get(6)?;
            refused.push(Quarantined {
                id: TransactionId(uuid(&row.get::<_, Vec<u8>>(0)?)?),
                user: UserId(uuid_text(&row.get::<_, String>(1)?)?),
                device: DeviceId(uuid_text(&row.get::<_, String>(2)?)?),
                code: row.get(3)?,
                reason: row.get(4)?,
                refused_at: Timestamp(row.get(5)?),
                transaction: protocol::decode(&entry).map_err(StoreError::corrupt)?,
            });
        }
        Ok(refused)
    }
}

/// Keeps a refused transaction.
pub(super) fn keep(
    connection: &Connection,
    submission: &Submission,
    code: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let body = &submission.opened.body;
    let sql = "INSERT INTO sync_quarantine (id, user, device, code, reason, refused_at, entry)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute((
        body.id.0.as_bytes(),
        body.user.to_string(),
        body.device.to_string(),
        code,
        reason,
        now.0,
        protocol::encode(&submission.transaction),
    ))?;
    Ok(())
}

/// What was refused before.
pub(super) struct Verdicts<'c>(CachedStatement<'c>);

impl<'c> Verdicts<'c> {
    pub fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let sql = "SELECT code, reason, entry FROM sync_quarantine WHERE id = ?1";
        Ok(Self(connection.prepare_cached(sql)?))
    }

    /// Of a transaction: code, reason, and itself as it came.
    pub fn of(&mut self, id: TransactionId) -> Result<Option<(String, String, Vec<u8>)>, StoreError> {
        let verdict = self
            .0
            .query_row([id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        Ok(verdict.optional()?)
    }
}

/// A transaction that was refused here is in the stream after all.
pub(crate) fn leave(connection: &Connection, id: TransactionId, transaction: &Transaction) -> Result<(), StoreError> {
    let Some((_, _, entry)) = Verdicts::new(connection)?.of(id)? else {
        return Ok(());
    };
    let refused: Transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
    // Another transaction may have had its id.
    if refused.body == transaction.body {
        connection.execute("DELETE FROM sync_quarantine WHERE id = ?1", [id.0.as_bytes()])?;
    }
    Ok(())
}
