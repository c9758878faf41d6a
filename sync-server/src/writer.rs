//! Writes rows in the server's own name: the demo hospital, imports, the command line.
//!
//! ```text
//! rows ──► author (signed by the server's own key) ──► accept, as the server's import ──► seq or refusal, per group
//! ```

use std::collections::BTreeSet;

use holdfast_core::{
    author::{AuthorError, Header, Identity, author},
    document::{Actor, DocumentId, FoldError},
    ids::{Seq, TransactionId, UserId},
    ingest::WorkingSet,
    policy::Role,
    protocol::PushOutcome,
    row::RowWrite,
};
use uuid::Uuid;

use crate::store::{Store, StoreError, Submission, now, random};

/// Whoever holds the server's command line: no user of the hospital.
pub const OPERATOR: UserId = UserId(Uuid::nil());

/// How many transactions are taken in together.
const BATCH: usize = 2_000;

/// Writes rows as transactions of the server's own device.
pub struct Writer<'a> {
    store: &'a Store,
    identity: Identity,
}

/// Why a group of rows was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The engine refused it: which row, and why.
    #[error("{reason}")]
    Refused {
        /// Machine-readable.
        code: String,
        /// For people.
        reason: String,
    },
    /// A row cannot be written to.
    #[error("cannot be written: {0}")]
    Unwritable(#[from] FoldError),
}

/// What became of a group: its place in the stream, or `None` if there was nothing to change.
pub type GroupOutcome = Result<Option<Seq>, GroupError>;

impl<'a> Writer<'a> {
    /// A writer in a user's name ([`OPERATOR`] where there is none).
    pub async fn new(store: &'a Store, user: UserId) -> Result<Self, StoreError> {
        let key = store.server_key().await?;
        let mut identity = Identity {
            user,
            key,
            actor: Actor::from(Vec::new()),
        };
        identity.actor = Actor::new(identity.device(), u32::from_be_bytes(random::bytes()));
        Ok(Self { store, identity })
    }

    /// Writes each group as one transaction, in order. A group that fails changes nothing and does not stop the others. Rows
    /// keep values that only the engine sets and words outside a vocabulary, as imports need.
    pub async fn write(&mut self, command: &str, groups: Vec<Vec<RowWrite>>) -> Result<Vec<GroupOutcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(groups.len());
        let mut rest = groups.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_length(rest));
            outcomes.extend(self.write_batch(command, batch).await?);
            rest = later;
        }
        Ok(outcomes)
    }

    /// Writes one group.
    pub async fn write_one(&mut self, command: &str, group: Vec<RowWrite>) -> Result<GroupOutcome, StoreError> {
        let mut outcomes = self.write(command, vec![group]).await?;
        Ok(outcomes.pop().expect("BUG: one group has one outcome"))
    }

    async fn write_batch(&self, command: &str, batch: &[Vec<RowWrite>]) -> Result<Vec<GroupOutcome>, StoreError> {
        let set = self.store.documents(self.documents(batch)).await?;
        let (mut submissions, mut outcomes) = (Vec::new(), Vec::with_capacity(batch.len()));
        for group in batch {
            match author(&set, group, header(command), &self.identity) {
                Ok((transaction, opened)) => {
                    submissions.push(Submission {
                        transaction,
                        opened,
                        role: Role::Admin,
                        import: true,
                        objection: None,
                    });
                    outcomes.push(None);
                }
                Err(AuthorError::Nothing) => outcomes.push(Some(Ok(None))),
                Err(AuthorError::Fold(error)) => outcomes.push(Some(Err(GroupError::Unwritable(error)))),
                Err(AuthorError::Needs(needs)) => panic!("BUG: these were loaded: {needs:?}"),
            }
        }
        let mut accepted = self.store.accept(submissions, now()).await?.into_iter();
        let outcome = |known: Option<GroupOutcome>| known.unwrap_or_else(|| of_push(accepted.next()));
        Ok(outcomes.into_iter().map(outcome).collect())
    }

    /// The documents that these groups write to: `author` asks for them.
    fn documents(&self, batch: &[Vec<RowWrite>]) -> BTreeSet<DocumentId> {
        let nothing = WorkingSet::default();
        batch
            .iter()
            .filter_map(|group| match author(&nothing, group, header(""), &self.identity) {
                Err(AuthorError::Needs(needs)) => Some(needs.documents),
                _ => None,
            })
            .flatten()
            .collect()
    }
}

/// How many of these groups can go together: a group that writes to a row of an earlier one builds on what that one did.
fn batch_length(groups: &[Vec<RowWrite>]) -> usize {
    let mut touched = BTreeSet::new();
    for (index, group) in groups.iter().enumerate().take(BATCH) {
        if group.iter().any(|write| touched.contains(&(write.table, write.row))) {
            return index;
        }
        touched.extend(group.iter().map(|write| (write.table, write.row)));
    }
    groups.len().min(BATCH)
}

fn header(command: &str) -> Header {
    Header {
        id: TransactionId(random::new_id()),
        first: None,
        time: now(),
        offline: false,
        command: command.to_owned(),
        entropy: random::bytes(),
    }
}

fn of_push(outcome: Option<PushOutcome>) -> GroupOutcome {
    match outcome.expect("BUG: every submission has an outcome") {
        PushOutcome::Accepted { seq, .. } => Ok(Some(seq)),
        PushOutcome::Rejected { code, reason, .. } => Err(GroupError::Refused { code, reason }),
        PushOutcome::Waiting { .. } | PushOutcome::Later { .. } => {
            panic!("BUG: it was made on the documents as they are")
        }
        PushOutcome::Relayed { .. } => panic!("BUG: nobody writes in a hub's own name"),
    }
}
