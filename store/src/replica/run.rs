//! Carries out a command.

use std::collections::BTreeSet;

use holdfast_core::{command::Command, ids::TransactionId};
use serde::Serialize;

use super::{Replica, ReplicaError};

/// What a command did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The transaction. Nil if there was nothing to change.
    pub transaction_id: TransactionId,
    /// The rows that it created, changed or deleted, in order.
    pub rows: Vec<ReceiptRow>,
    /// The tables whose rows changed: live queries renew themselves.
    #[serde(skip)]
    pub changed_tables: BTreeSet<&'static str>,
}

/// A row of a [`Receipt`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptRow {
    /// Its table.
    pub table: &'static str,
    /// Its key, as commands name it: parts joined by `/`.
    pub id: String,
    /// What was done to it.
    pub action: ReceiptAction,
}

/// See [`ReceiptRow`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ReceiptAction {
    /// It is new.
    Created,
    /// It has other values.
    Changed,
    /// It is hidden.
    Deleted,
}

impl Replica {
    /// Carries out a command as one transaction, which is durable when this returns, and waits in the outbox.
    pub fn run(&mut self, command: &Command) -> Result<Receipt, ReplicaError> {
        todo!("{command:?}")
    }
}
