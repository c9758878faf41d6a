//! The outbox goes out, in order.

use std::collections::BTreeSet;

use holdfast_core::{
    ids::{Seq, TransactionId},
    ingest::Job,
    protocol::{self, PushOutcome, PushRequest, PushResponse},
    schema::Side,
    transaction::Opened,
};
use rusqlite::{Connection, TransactionBehavior};

use super::{HttpRequest, Method, RequestKind, Taken, decode};
use crate::{
    StoreError,
    replica::{
        Replica, base, identity,
        make::Workshop,
        outbox::{self, Waiting},
        replay,
    },
    writing::Writing,
};

/// How many transactions one request carries at most.
pub(super) const MAX_TRANSACTIONS: usize = 200;

/// How large their bodies are together, unless a single one is larger.
pub(super) const MAX_BYTES: usize = 1 << 20;

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
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut writing = Writing::new(&transaction, Side::Device, now);
        let mut refused = None;
        for (id, outcome) in ids.iter().zip(&response.outcomes) {
            let Some(sent) = outbox::waiting(&transaction, *id)? else {
                continue;
            };
            match outcome {
                PushOutcome::Accepted { seq, .. } => {
                    let opened = sent.transaction.open().map_err(StoreError::corrupt)?;
                    acknowledge(&transaction, &mut writing, sent.n, &opened, *seq)?;
                }
                // What was refused after the first may have been built on it: it is tried anew.
                PushOutcome::Rejected { .. } if refused.is_some() => {}
                PushOutcome::Rejected { code, reason, .. } => {
                    refused = Some((sent.n, code, reason));
                }
            }
        }
        let mut changed = writing.finish()?;
        if let Some((n, code, reason)) = refused {
            outbox::reject(&transaction, n, code, reason)?;
            self.actor = identity::new_actor(&self.key, &mut self.host);
            let mut workshop = Workshop {
                connection: &transaction,
                host: &mut self.host,
                key: &self.key,
                actor: &self.actor,
            };
            changed.extend(start_over(&mut workshop, now)?);
        }
        transaction.commit()?;
        self.round.pull = true;
        Ok(Ok(changed))
    }
}

/// The stream has a transaction of this device.
pub(super) fn acknowledge(
    connection: &Connection,
    writing: &mut Writing<'_>,
    n: i64,
    opened: &Opened,
    seq: Seq,
) -> Result<(), StoreError> {
    writing.follow(&Job::Confirm { opened, seq })?;
    base::fold(connection, opened, seq)?;
    outbox::remove(connection, n)?;
    base::release(connection, &opened.body)
}

/// Back to what the server has, and on from there.
fn start_over(
    workshop: &mut Workshop<'_>,
    now: holdfast_core::ids::Timestamp,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut changed = replay::take_back(workshop.connection, now)?;
    changed.extend(replay::replay(workshop)?);
    Ok(changed)
}
