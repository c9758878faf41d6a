//! What waits for changes and rows that have not come yet, as `sync.waiting` keeps it. Who waits for what is core's [`Waiting`].

use std::collections::{BTreeSet, HashMap};

use holdfast_core::{
    document::DocumentId,
    ids::{DeviceId, RowId, Timestamp, TransactionId},
    ingest::waiting::{Awaited, Limits, Waiter, Waiting},
    protocol::{decode, encode},
    transaction::{ChangeName, Transaction},
};
use holdfast_store::server::{Submission, WaitingCount};
use minicbor::bytes::ByteVec;
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    PostgresStore, StoreError,
    time::{self, micros},
};

impl PostgresStore {
    /// How many transactions wait for changes or rows that have not come yet.
    pub async fn waiting(&self) -> Result<WaitingCount, StoreError> {
        let sql = concat!("SELECT count(*), ", micros!("min(since)"), " FROM sync.waiting");
        let record = sqlx::query(sql).fetch_one(&self.pool).await?;
        let count: i64 = record.try_get(0)?;
        let since: Option<i64> = record.try_get(1)?;
        Ok(WaitingCount {
            transactions: count as u64,
            since: since.map(Timestamp),
        })
    }
}

/// All that waits. What came at a time that is still to come waits since now: the clock was set back.
pub(super) async fn load(connection: &mut PgConnection, now: Timestamp) -> Result<Waiting, StoreError> {
    let mut waiting = Waiting::new(Limits::default());
    let sql = concat!(
        "SELECT id, device, ",
        micros!("since"),
        ", octet_length(entry) FROM sync.waiting ORDER BY n"
    );
    let found = sqlx::query(sql).fetch_all(&mut *connection).await?;
    if found.is_empty() {
        return Ok(waiting);
    }
    let mut names = names(connection).await?;
    let mut set_back = false;
    for record in found {
        let id: Uuid = record.try_get(0)?;
        let since = time::read(&record, 2)?;
        set_back |= since > now;
        let bytes: i32 = record.try_get(3)?;
        waiting.restore(Waiter {
            id: TransactionId(id),
            device: DeviceId(record.try_get(1)?),
            since: since.min(now),
            bytes: bytes as usize,
            missing: names.remove(&(id, false)).unwrap_or_default(),
            brings: names.remove(&(id, true)).unwrap_or_default(),
        });
    }
    if set_back {
        sqlx::query("UPDATE sync.waiting SET since = $1 WHERE since > $1")
            .bind(time::bound(now))
            .execute(&mut *connection)
            .await?;
    }
    Ok(waiting)
}

/// What each waits for (`false`) and brings (`true`).
async fn names(connection: &mut PgConnection) -> Result<HashMap<(Uuid, bool), BTreeSet<Awaited>>, StoreError> {
    let found = sqlx::query("SELECT id, brings, part, row, hash FROM sync.waiting_changes")
        .fetch_all(connection)
        .await?;
    let mut names: HashMap<_, BTreeSet<Awaited>> = HashMap::new();
    for record in found {
        let key = (record.try_get(0)?, record.try_get(1)?);
        names.entry(key).or_default().insert(awaited(&record, 2)?);
    }
    Ok(names)
}

/// Reads part, row and hash from this column on.
fn awaited(record: &PgRow, at: usize) -> Result<Awaited, StoreError> {
    let document = DocumentId::from_part(record.try_get(at)?, RowId(record.try_get(at + 1)?));
    Awaited::from_parts(document, record.try_get(at + 2)?)
        .ok_or(StoreError::Corrupt("a stored change hash is not 32 bytes"))
}

/// The columns of these, to be bound one by one.
fn columns<'a>(all: impl IntoIterator<Item = &'a Awaited>) -> (Vec<i16>, Vec<Uuid>, Vec<Vec<u8>>) {
    let (mut parts, mut rows, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for awaited in all {
        let document = awaited.document();
        parts.push(document.part());
        rows.push(document.row.0);
        hashes.push(awaited.hash().to_vec());
    }
    (parts, rows, hashes)
}

/// Keeps a transaction that waits.
pub(super) async fn keep(
    connection: &mut PgConnection,
    submission: &Submission,
    waiter: &Waiter,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sync.waiting (id, device, role, import, since, entry)
         VALUES ($1, $2, $3, $4, $5::text::timestamptz, $6)",
    )
    .bind(waiter.id.0)
    .bind(waiter.device.0)
    .bind(submission.role.as_str())
    .bind(submission.import)
    .bind(waiter.since.to_string())
    .bind(encode(&submission.transaction))
    .execute(&mut *connection)
    .await?;
    for (brings, names) in [(false, &waiter.missing), (true, &waiter.brings)] {
        let (parts, rows, hashes) = columns(names);
        sqlx::query(
            "INSERT INTO sync.waiting_changes (id, brings, part, row, hash)
             SELECT $1, $2, k.part, k.row, k.hash
             FROM unnest($3::smallint[], $4::uuid[], $5::bytea[]) AS k (part, row, hash)",
        )
        .bind(waiter.id.0)
        .bind(brings)
        .bind(parts)
        .bind(rows)
        .bind(hashes)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Nobody waits for these any more.
pub(super) async fn arrived(connection: &mut PgConnection, names: &[Awaited]) -> Result<(), StoreError> {
    if names.is_empty() {
        return Ok(());
    }
    let (parts, rows, hashes) = columns(names);
    sqlx::query(
        "DELETE FROM sync.waiting_changes w
         USING unnest($1::smallint[], $2::uuid[], $3::bytea[]) AS k (part, row, hash)
         WHERE w.hash = k.hash AND w.part = k.part AND w.row = k.row AND NOT w.brings",
    )
    .bind(parts)
    .bind(rows)
    .bind(hashes)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a transaction out.
pub(super) async fn take(connection: &mut PgConnection, id: TransactionId) -> Result<Submission, StoreError> {
    let record = sqlx::query("DELETE FROM sync.waiting WHERE id = $1 RETURNING role, import, entry")
        .bind(id.0)
        .fetch_one(connection)
        .await?;
    let damaged = || StoreError::Corrupt("a waiting transaction cannot be read");
    let transaction: Transaction = decode(record.try_get(2)?).map_err(|_| damaged())?;
    let role: &str = record.try_get(0)?;
    Ok(Submission {
        opened: transaction.open().map_err(|_| damaged())?,
        transaction,
        role: role.parse().map_err(|_| damaged())?,
        import: record.try_get(1)?,
        objection: None,
    })
}

/// The bodies of those of these transactions that wait.
pub(super) async fn bodies(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, ByteVec)>, StoreError> {
    let found = sqlx::query("SELECT id, entry FROM sync.waiting WHERE id = ANY($1)")
        .bind(ids)
        .fetch_all(connection)
        .await?;
    let mut bodies = Vec::with_capacity(found.len());
    for record in found {
        let entry: Transaction =
            decode(record.try_get(1)?).map_err(|_| StoreError::Corrupt("a waiting transaction cannot be read"))?;
        bodies.push((record.try_get(0)?, entry.body));
    }
    Ok(bodies)
}

/// Remembers changes of transactions that are refused: what builds on them is refused too.
pub(super) async fn refuse(connection: &mut PgConnection, names: &BTreeSet<ChangeName>) -> Result<(), StoreError> {
    if names.is_empty() {
        return Ok(());
    }
    let names: Vec<Awaited> = names.iter().copied().map(Awaited::Change).collect();
    let (parts, rows, hashes) = columns(&names);
    sqlx::query(
        "INSERT INTO sync.refused_changes (part, row, hash)
         SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::bytea[]) ON CONFLICT DO NOTHING",
    )
    .bind(parts)
    .bind(rows)
    .bind(hashes)
    .execute(connection)
    .await?;
    Ok(())
}

/// One of these changes that came with a transaction that was refused.
pub(super) async fn refused(
    connection: &mut PgConnection,
    names: &BTreeSet<Awaited>,
) -> Result<Option<ChangeName>, StoreError> {
    let (parts, rows, hashes) = columns(names.iter().filter(|awaited| matches!(awaited, Awaited::Change(_))));
    let found = sqlx::query(
        "SELECT r.part, r.row, r.hash FROM unnest($1::smallint[], $2::uuid[], $3::bytea[]) AS k (part, row, hash)
         JOIN sync.refused_changes r ON r.part = k.part AND r.row = k.row AND r.hash = k.hash
         ORDER BY r.part, r.row, r.hash LIMIT 1",
    )
    .bind(parts)
    .bind(rows)
    .bind(hashes)
    .fetch_optional(connection)
    .await?;
    let name = found.map(|record| awaited(&record, 0)).transpose()?;
    Ok(name.and_then(|awaited| match awaited {
        Awaited::Change(name) => Some(name),
        Awaited::Row(_) => None,
    }))
}
