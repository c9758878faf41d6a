//! What was done here and has not reached the server, or was refused.

use holdfast_core::ids::TransactionId;
use serde::Serialize;

use super::{Replica, ReplicaError};
use crate::StoreError;

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
    /// `waiting` or `rejected`
    pub state: String,
    /// Why it was refused.
    pub reason: Option<String>,
}

impl Replica {
    /// What waits and what was refused, in the order it was made.
    pub fn outbox(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        todo!()
    }

    /// Drops a refused transaction for good.
    pub fn discard(&mut self, id: TransactionId) -> Result<(), ReplicaError> {
        todo!("{id}")
    }
}
