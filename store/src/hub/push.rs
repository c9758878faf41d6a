//! What is relayed goes to the hospital's server, and its answers come back.

use std::collections::{BTreeMap, HashSet};

use holdfast_core::{
    ids::{Seq, Timestamp, TransactionId},
    ingest::waiting::own_changes,
    protocol::{self, PushOutcome},
    schema::Side,
    transaction::{ChangeName, Opened, Transaction},
};
use rusqlite::{Connection, TransactionBehavior};

use super::{is_copying, later, list, relay, require};
use crate::{
    ServerStore, StoreError, base,
    server::{self, refuse_all},
    sql_value::uuid,
};

/// After how many microseconds the hospital's server is asked again what became of a transaction that it keeps: a day. It
/// usually shows up in the stream before.
const KEPT: i64 = 24 * 60 * 60 * 1_000_000;

/// After how many microseconds it is pushed again if that server had no room to keep it, or the stream does not have it where
/// it should: ten minutes.
const NOT_KEPT: i64 = 10 * 60 * 1_000_000;

/// For how many microseconds the hub keeps asking about what the hospital's server takes only when its device has signed in
/// there again: 30 days.
const UNKNOWN: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// The verdict of the hospital's server.
pub(super) struct Refusal {
    pub id: TransactionId,
    pub code: String,
    pub reason: String,
}

impl Refusal {
    /// The stream has another transaction of this id.
    pub fn id_taken(id: TransactionId) -> Self {
        match server::id_taken(id) {
            PushOutcome::Rejected { id, code, reason } => Self { id, code, reason },
            other => unreachable!("BUG: a taken id is {other:?}"),
        }
    }

    /// The hospital's server has lost the device, which has not signed in there again.
    fn unknown_device(id: TransactionId) -> Self {
        Self {
            id,
            code: "wrong_device".to_owned(),
            reason:
                "The hospital's server does not know this device, and nobody has signed in on it there for 30 days."
                    .to_owned(),
        }
    }
}

impl ServerStore {
    /// What is to be pushed to the hospital's server now, in order: at most `limit`, and no more after `max_bytes` are full.
    pub fn to_push(
        &self,
        now: Timestamp,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<(TransactionId, Transaction)>, StoreError> {
        require(&self.connection)?;
        let head = self.head()?;
        // A clock that was set back stretches no time. What the stream should have by now is asked for again.
        let sql = "SELECT id, entry FROM sync_relay
            WHERE (accepted IS NULL OR accepted <= ?1) AND (ask_again IS NULL OR ask_again NOT BETWEEN ?2 + 1 AND ?2 + ?3)
            ORDER BY n LIMIT ?4";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query((head.0 as i64, now.0, KEPT, limit as i64))?;
        let (mut first, mut bytes) = (Vec::new(), 0);
        while let Some(row) = found.next()? {
            let (id, entry): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            bytes += entry.len();
            if bytes > max_bytes && !first.is_empty() {
                break;
            }
            let transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
            first.push((TransactionId(uuid(&id)?), transaction));
        }
        Ok(first)
    }

    /// Takes in what the hospital's server answered to a push of these transactions, an outcome for each, all in one database
    /// transaction. What it took leaves the relay when it comes in the stream. What it refused goes into quarantine, and what
    /// builds on that with it; returns them, and devices are told. [`StoreError::Upstream`] if the answer does not fit.
    pub fn take_outcomes(
        &mut self,
        pushed: &[TransactionId],
        outcomes: &[PushOutcome],
        now: Timestamp,
    ) -> Result<Vec<TransactionId>, StoreError> {
        if pushed.len() != outcomes.len() {
            let problem = format!("{} outcomes of {} transactions", outcomes.len(), pushed.len());
            return Err(StoreError::Upstream(problem));
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        require(&transaction)?;
        relay::since_now(&transaction, now)?;
        let mut refused = Vec::new();
        for (id, outcome) in pushed.iter().zip(outcomes) {
            let Some(relaying) = relay::find(&transaction, *id)? else {
                // It came in the stream meanwhile.
                continue;
            };
            match outcome {
                PushOutcome::Accepted { seq, .. } => accepted(&transaction, relaying.n, *seq, now)?,
                PushOutcome::Rejected { code, reason, .. } => refused.push(Refusal {
                    id: *id,
                    code: code.clone(),
                    reason: reason.clone(),
                }),
                PushOutcome::Waiting { .. } | PushOutcome::Relayed { .. } => {
                    relay::hold(&transaction, relaying.n, later(now, KEPT))?;
                }
                PushOutcome::Later { missing: 0, .. } if now > later(relaying.since, UNKNOWN) => {
                    refused.push(Refusal::unknown_device(*id));
                }
                PushOutcome::Later { .. } => relay::hold(&transaction, relaying.n, later(now, NOT_KEPT))?,
            }
        }
        let withdrawn = if refused.is_empty() {
            Vec::new()
        } else {
            withdraw(&transaction, refused, now)?
        };
        transaction.commit()?;
        Ok(withdrawn)
    }
}

/// A place that the hub has copied already has something else: it is asked again, but not at once.
fn accepted(connection: &Connection, n: i64, seq: Seq, now: Timestamp) -> Result<(), StoreError> {
    relay::accepted(connection, n, seq)?;
    if seq <= server::head(connection)? {
        relay::hold(connection, n, later(now, NOT_KEPT))?;
    }
    Ok(())
}

/// Takes back what the hospital's server refused, with what builds on it: the documents go back to the base, and the rest is
/// put on it again as it is, in order. Returns what was withdrawn.
pub(super) fn withdraw(
    connection: &Connection,
    refused: Vec<Refusal>,
    now: Timestamp,
) -> Result<Vec<TransactionId>, StoreError> {
    let mut verdicts: BTreeMap<TransactionId, Refusal> = refused.into_iter().map(|r| (r.id, r)).collect();
    base::take_back(connection, Side::Server, now)?;
    let mut all = Vec::new();
    for relaying in relay::all(connection)? {
        let opened = relaying.open()?;
        relay::take_away(connection, &opened)?;
        all.push((relaying, opened));
    }
    let mut gone: HashSet<ChangeName> = HashSet::new();
    let (mut withdrawn, mut refusals) = (Vec::new(), Vec::new());
    for (relaying, opened) in all {
        let verdict = verdicts.remove(&relaying.id).or_else(|| follows(&opened, &gone));
        if let Some(refusal) = verdict {
            gone.extend(own_changes(&opened));
            relay::remove(connection, relaying.n, &opened.body)?;
            if relaying.on_top && !broken!(WithdrawalUntold) {
                list::withdraw(connection, relaying.id)?;
            }
            withdrawn.push(relaying.id);
            refusals.push((relaying.into_submission(opened), refusal.code, refusal.reason));
        } else if relaying.on_top {
            base::put_back(connection, Side::Server, relaying.n, &opened)?;
            relay::bring(connection, &opened)?;
        }
    }
    let hub = require(connection)?;
    if !is_copying(connection)? {
        relay::lift(connection)?;
    }
    refuse_all(connection, &refusals, now, hub)?;
    Ok(withdrawn)
}

/// The refusal of what builds on something that is gone.
fn follows(opened: &Opened, gone: &HashSet<ChangeName>) -> Option<Refusal> {
    let name = base::first_dependency(opened, gone)?;
    let rejection = holdfast_core::ingest::waiting::Unmet::refused(name).rejection(opened);
    Some(Refusal {
        id: opened.body.id,
        code: rejection.code.to_owned(),
        reason: rejection.to_string(),
    })
}
