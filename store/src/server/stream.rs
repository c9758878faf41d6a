//! The stream: taking transactions in, giving them out.

use holdfast_core::{
    ids::{Seq, Timestamp},
    policy::Role,
    protocol::PushOutcome,
    transaction::{LogEntry, Opened, Transaction},
};

use super::ServerStore;
use crate::StoreError;

/// A transaction that wants to be in the stream. Its signature and its maker's sign-in on the device have been checked.
#[derive(Clone, Debug)]
pub struct Submission {
    /// As it came.
    pub transaction: Transaction,
    /// The same, opened.
    pub opened: Opened,
    /// The maker's role.
    pub role: Role,
    /// Made by the server's own import.
    pub import: bool,
}

/// A page of the stream.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// In stream order; nothing is withheld yet.
    pub entries: Vec<LogEntry>,
    /// The end of the stream.
    pub head: Seq,
}

impl ServerStore {
    /// Takes transactions in, all in one database transaction, in order. An outcome for each; one that is known already
    /// gets the outcome that it had. An error means that nothing was taken.
    pub fn accept(&mut self, submissions: Vec<Submission>, now: Timestamp) -> Result<Vec<PushOutcome>, StoreError> {
        todo!("{submissions:?} {now:?}")
    }

    /// What comes after a place in the stream: at most `max_entries`, and no more after `max_bytes` are full.
    pub fn pull(&self, after: Seq, max_entries: usize, max_bytes: usize) -> Result<Pulled, StoreError> {
        todo!("{after} {max_entries} {max_bytes}")
    }

    /// The end of the stream; 0 while it is empty.
    pub fn head(&self) -> Result<Seq, StoreError> {
        todo!()
    }

    /// How many rows a table has. The table is one of the 33.
    pub fn count(&self, table: &str) -> Result<u64, StoreError> {
        todo!("{table}")
    }
}
