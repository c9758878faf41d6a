//! What was refused, kept for the auditor.

use holdfast_core::{
    ids::{DeviceId, Timestamp, TransactionId, UserId},
    transaction::Transaction,
};

use super::ServerStore;
use crate::StoreError;

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
        todo!("{limit}")
    }
}
