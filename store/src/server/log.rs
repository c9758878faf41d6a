//! The stream's log: how entries are written and found.

use holdfast_core::{
    ids::{DeviceId, Seq, Timestamp, TransactionId},
    protocol,
    transaction::{Opened, Transaction},
};
use minicbor::bytes::ByteVec;
use rusqlite::{CachedStatement, Connection, Row};

use super::Submission;
use crate::{
    StoreError, meta,
    sql_value::{uuid, uuid_text},
};

/// The end of the stream; 0 while it is empty.
pub(crate) fn head(connection: &Connection) -> Result<Seq, StoreError> {
    Ok(Seq(meta::get::<i64>(connection, "head")?.unwrap_or(0) as u64))
}

/// What the log knows of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    /// Its name.
    pub id: TransactionId,
    /// Its place.
    pub seq: Seq,
    /// Where it was made.
    pub device: DeviceId,
    /// What its command was first made into.
    pub first_id: TransactionId,
    /// Its body, as it was signed.
    pub body: ByteVec,
}

impl Logged {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let transaction: Transaction = protocol::decode(&row.get::<_, Vec<u8>>(4)?).map_err(StoreError::corrupt)?;
        Ok(Self {
            id: TransactionId(uuid(&row.get::<_, Vec<u8>>(0)?)?),
            seq: Seq(row.get::<_, i64>(1)? as u64),
            device: DeviceId(uuid_text(&row.get::<_, String>(2)?)?),
            first_id: TransactionId(uuid(&row.get::<_, Vec<u8>>(3)?)?),
            body: transaction.body,
        })
    }
}

/// The entries that are submissions, or of a command that one is of.
pub(super) fn of_commands(connection: &Connection, submissions: &[Submission]) -> Result<Vec<Logged>, StoreError> {
    let of =
        |column| format!("SELECT id, seq, device, coalesce(first_id, id), entry FROM sync_log WHERE {column} = ?1");
    let mut by_id = connection.prepare_cached(&of("id"))?;
    let mut by_first_id = connection.prepare_cached(&of("first_id"))?;
    let mut found = Vec::new();
    let mut look = |statement: &mut CachedStatement<'_>, name: TransactionId| {
        let mut rows = statement.query([name.0.as_bytes()])?;
        while let Some(row) = rows.next()? {
            found.push(Logged::read(row)?);
        }
        Ok::<_, StoreError>(())
    };
    for submission in submissions {
        let body = &submission.opened.body;
        look(&mut by_id, body.id)?;
        if let Some(first) = body.first {
            look(&mut by_id, first)?;
        }
        look(&mut by_first_id, body.first_id())?;
    }
    Ok(found)
}

/// Puts transactions into the stream's log.
pub(crate) fn log<'t>(
    connection: &Connection,
    entries: impl IntoIterator<Item = (Seq, &'t Opened, &'t Transaction)>,
    accepted_at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_log (seq, id, user, device, time, accepted_at, entry, first_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = connection.prepare_cached(sql)?;
    // A deterministic change may come with several transactions; the first in the stream brought it. What a hub relays has
    // the place 0.
    let sql = "INSERT INTO sync_changes (part, row, hash, seq) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE seq = 0";
    let mut bring = connection.prepare_cached(sql)?;
    for (seq, opened, transaction) in entries {
        let (body, seq) = (&opened.body, seq.0 as i64);
        insert.execute((
            seq,
            body.id.0.as_bytes(),
            body.user.to_string(),
            body.device.to_string(),
            body.time.0,
            accepted_at.0,
            protocol::encode(transaction),
            body.first.as_ref().map(|first| first.0.as_bytes()),
        ))?;
        for change in &body.changes {
            let document = change.document;
            bring.execute((document.part(), document.row.0.as_bytes(), change.hash.0, seq))?;
        }
    }
    Ok(())
}
