//! What was refused, kept for the auditor.

use std::{borrow::Cow, collections::HashMap};

use holdfast_core::{
    ids::{DeviceId, Timestamp, TransactionId, UserId},
    protocol::{PushOutcome, decode, encode},
    transaction::Transaction,
};
use holdfast_store::server::{Quarantined, Submission};
use minicbor::bytes::ByteVec;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    PostgresStore, StoreError,
    time::{self, micros},
};

/// A transaction that is refused, and why.
pub(super) struct Refused<'a> {
    pub(super) submission: Cow<'a, Submission>,
    pub(super) code: String,
    pub(super) reason: String,
}

impl Refused<'_> {
    pub(super) fn outcome(&self) -> PushOutcome {
        PushOutcome::Rejected {
            id: self.submission.opened.body.id,
            code: self.code.clone(),
            reason: self.reason.clone(),
        }
    }
}

/// Keeps refused transactions.
pub(super) async fn put(
    connection: &mut PgConnection,
    refused: &[Refused<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    if refused.is_empty() {
        return Ok(());
    }
    let body = |r: &Refused<'_>| r.submission.opened.body.clone();
    sqlx::query(
        "INSERT INTO sync.quarantine (id, user_id, device, code, reason, refused_at, entry)
         SELECT k.id, k.user_id, k.device, k.code, k.reason, $6::text::timestamptz, k.entry
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $7::bytea[])
             AS k (id, user_id, device, code, reason, entry)
         ON CONFLICT DO NOTHING",
    )
    .bind(refused.iter().map(|r| body(r).id.0).collect::<Vec<_>>())
    .bind(refused.iter().map(|r| body(r).user.0).collect::<Vec<_>>())
    .bind(refused.iter().map(|r| body(r).device.0).collect::<Vec<_>>())
    .bind(refused.iter().map(|r| without_nul(&r.code)).collect::<Vec<_>>())
    .bind(refused.iter().map(|r| without_nul(&r.reason)).collect::<Vec<_>>())
    .bind(now.to_string())
    .bind(
        refused
            .iter()
            .map(|r| encode(&r.submission.transaction))
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// PostgreSQL's text holds no NUL; a reason may quote what a device sent.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The outcomes of transactions that were refused before, and their bodies.
pub(super) async fn outcomes(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, (PushOutcome, ByteVec)>, StoreError> {
    let found = sqlx::query("SELECT id, code, reason, entry FROM sync.quarantine WHERE id = ANY($1)")
        .bind(ids)
        .fetch_all(connection)
        .await?;
    let mut outcomes = HashMap::with_capacity(found.len());
    for record in found {
        let id: Uuid = record.try_get(0)?;
        let outcome = PushOutcome::Rejected {
            id: TransactionId(id),
            code: record.try_get(1)?,
            reason: record.try_get(2)?,
        };
        outcomes.insert(id, (outcome, read(record.try_get(3)?)?.body));
    }
    Ok(outcomes)
}

fn read(entry: &[u8]) -> Result<Transaction, StoreError> {
    decode(entry).map_err(|_| StoreError::Corrupt("a quarantined transaction cannot be read"))
}

impl PostgresStore {
    /// The latest refused transactions, newest first.
    pub async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let found = sqlx::query(concat!(
            "SELECT id, user_id, device, code, reason, ",
            micros!("refused_at"),
            ", entry FROM sync.quarantine ORDER BY refused_at DESC, id DESC LIMIT $1"
        ))
        .bind(limit as i64)
        .fetch_all(&self.pool)
        .await?;
        let mut quarantined = Vec::with_capacity(found.len());
        for record in found {
            quarantined.push(Quarantined {
                id: TransactionId(record.try_get(0)?),
                user: UserId(record.try_get(1)?),
                device: DeviceId(record.try_get(2)?),
                code: record.try_get(3)?,
                reason: record.try_get(4)?,
                refused_at: time::read(&record, 5)?,
                transaction: read(record.try_get(6)?)?,
            });
        }
        Ok(quarantined)
    }
}
