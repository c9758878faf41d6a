//! The outbox goes out, in order.

use std::collections::{BTreeSet, HashSet};

use holdfast_core::{
    ids::{Seq, Timestamp, TransactionId},
    ingest::{Job, waiting::own_changes},
    protocol::{self, PushOutcome, PushRequest, PushResponse},
    schema::Side,
    transaction::Opened,
};
use rusqlite::Connection;

use super::{HttpRequest, Method, RequestKind, Taken, cursor, decode, recopy, sums};
use crate::{
    StoreError,
    replica::{
        Replica, base, kept,
        make::Workshop,
        outbox::{self, Waiting},
        relayed,
        replay::{self, Gone, Remake},
        sight,
        write_transaction::WriteTransaction,
    },
    writing::Writing,
};

/// How many transactions one request carries at most.
pub(super) const MAX_TRANSACTIONS: usize = 1_000;

/// How large their bodies are together, unless a single one is larger.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// After how many microseconds the server is asked again what became of a transaction that it keeps: a day. It usually shows
/// up in the stream before.
const KEPT: i64 = outbox::HELD;

/// After how many microseconds it is sent again if the server had no room to keep it: an hour.
const NOT_KEPT: i64 = 60 * 60 * 1_000_000;

pub(super) fn request(waiting: Vec<Waiting>) -> HttpRequest {
    let kind = RequestKind::Push(waiting.iter().map(|w| w.id).collect());
    let request = PushRequest {
        transactions: waiting.into_iter().map(|w| w.transaction).collect(),
    };
    HttpRequest {
        method: Method::Post,
        path: format!("/v{}/push", protocol::PROTOCOL_VERSION),
        body: protocol::encode(&request),
        kind,
    }
}

impl Replica {
    pub(super) fn take_push(&mut self, ids: &[TransactionId], body: &[u8]) -> Result<Taken, StoreError> {
        let response: PushResponse = match decode(body) {
            Ok(response) => response,
            Err(problem) => return Ok(Err(problem)),
        };
        if response.outcomes.len() != ids.len() {
            let problem = "The server's answer does not fit what was sent. It is tried again.";
            return Ok(Err(problem.to_owned()));
        }
        let now = self.host.now();
        let transaction = WriteTransaction::begin(&self.connection)?;
        let mut writing = Writing::new(&transaction, Side::Device, now);
        let here = cursor(&transaction)?;
        let (mut refused, mut diverged) = (None, false);
        let is_accepted = |outcome: &PushOutcome| matches!(outcome, PushOutcome::Accepted { .. });
        // All that a hub relays is read for this: only if it is asked for.
        let mut ahead = if response.outcomes.iter().any(is_accepted) {
            relayed::ahead(&transaction, ids)?
        } else {
            HashSet::new()
        };
        for (id, outcome) in ids.iter().zip(&response.outcomes) {
            let Some(sent) = outbox::waiting(&transaction, *id)? else {
                continue;
            };
            match outcome {
                PushOutcome::Accepted { seq, .. } => {
                    let opened = sent.transaction.open().map_err(StoreError::corrupt)?;
                    let passed_it = here.is_some_and(|cursor| *seq <= cursor);
                    let is_here = passed_it
                        || base::is_on_top(&transaction, sent.n, &opened.body)?
                        || sight::hides(&transaction, &opened)?;
                    if !is_here || base::builds_on(&opened, &ahead) || base::refers_to(&opened, &ahead) {
                        // The stream brings it behind what it builds on.
                        ahead.extend(own_changes(&opened));
                        outbox::hold(&transaction, sent.n, after(now, NOT_KEPT))?;
                    } else {
                        // The stream as it is here had something else there: it is another one, of a server that was put
                        // back to a backup.
                        diverged = diverged || (passed_it && base::lacks(&transaction, &opened)?);
                        acknowledge(&transaction, &mut writing, sent.n, &opened, *seq)?;
                    }
                }
                // What was refused after the first may have been built on it: it is tried anew.
                PushOutcome::Rejected { .. } if refused.is_some() => outbox::refused(&transaction, *id)?,
                PushOutcome::Rejected { code, reason, .. } => {
                    refused = Some((sent, code, reason));
                }
                PushOutcome::Waiting { .. } => outbox::hold(&transaction, sent.n, after(now, KEPT))?,
                PushOutcome::Later { .. } => outbox::hold(&transaction, sent.n, after(now, NOT_KEPT))?,
                PushOutcome::Relayed { hub, .. } => outbox::at_hub(&transaction, sent.n, *hub, after(now, KEPT))?,
            }
        }
        kept::trim(&transaction)?;
        let mut changed = writing.finish()?;
        if let Some((sent, code, reason)) = refused {
            let mut workshop = Workshop::anew(&transaction, &mut self.host, &self.key, &mut self.actor);
            let taken_back = set_aside(&mut workshop, &sent, code, reason, now)?;
            if !broken!(TakenBackInSilence) {
                changed.extend(taken_back);
            }
        }
        changed.extend(sight::enforce(&transaction)?);
        if diverged && !recopy::is_under_way(&transaction)? && !broken!(RestoreUnnoticed) {
            recopy::copy_anew(&transaction)?;
        }
        transaction.commit()?;
        self.round.pull = true;
        self.round.at_once = None;
        Ok(Ok(changed))
    }

    /// The server refuses a push as a whole, and always will. Several transactions are sent in smaller parts until the one
    /// is found; that one is set aside with the reason, so that the others get through.
    pub(super) fn split_push(
        &mut self,
        ids: &[TransactionId],
        code: &str,
        reason: &str,
    ) -> Result<BTreeSet<&'static str>, StoreError> {
        let mut unread = std::mem::take(&mut self.round.first_sent);
        unread.retain(|id| ids.contains(id));
        outbox::take_back(&self.connection, &unread)?;
        let [id] = ids else {
            self.round.at_once = Some(ids.len().div_ceil(2));
            return Ok(BTreeSet::new());
        };
        let now = self.host.now();
        let transaction = WriteTransaction::begin(&self.connection)?;
        let Some(sent) = outbox::waiting(&transaction, *id)? else {
            return Ok(BTreeSet::new());
        };
        let mut workshop = Workshop::anew(&transaction, &mut self.host, &self.key, &mut self.actor);
        let changed = set_aside(&mut workshop, &sent, code, reason, now)?;
        transaction.commit()?;
        self.round.at_once = None;
        Ok(changed)
    }
}

fn after(now: Timestamp, wait: i64) -> Timestamp {
    Timestamp(now.0.saturating_add(wait))
}

/// The stream has a transaction of this device.
pub(super) fn acknowledge(
    connection: &Connection,
    writing: &mut Writing<'_>,
    n: i64,
    opened: &Opened,
    seq: Seq,
) -> Result<(), StoreError> {
    if !broken!(AcknowledgedWithoutPlace) {
        writing.follow(&Job::Confirm { opened, seq })?;
    }
    base::fold(connection, opened, seq)?;
    kept::keep(connection, n, seq)?;
    sums::acknowledged(connection, seq)?;
    outbox::remove(connection, n, &opened.body)?;
    relayed::settle(connection, writing, opened)
}

/// Keeps a refused transaction for a person to mend, unless the stream has its command already, and goes on from what the server
/// has.
fn set_aside(
    workshop: &mut Workshop<'_>,
    sent: &Waiting,
    code: &str,
    reason: &str,
    now: Timestamp,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let body = sent.transaction.body().map_err(StoreError::corrupt)?;
    if code == protocol::DONE_ALREADY {
        // This store was put back to a backup: it made another one of the same command before, which the stream brings.
        kept::keep(workshop.connection, sent.n, None)?;
        outbox::remove(workshop.connection, sent.n, &body)?;
    } else {
        outbox::reject(workshop.connection, sent.n, &body, code, reason)?;
    }
    let gone = Gone {
        refused: body.changes.into_iter().collect(),
        ..Gone::default()
    };
    replay::replay(workshop, gone, Remake::NotKept, now)
}
