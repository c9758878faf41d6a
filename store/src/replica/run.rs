//! Carries out a command.

use std::collections::BTreeSet;

use holdfast_core::{
    command::Command,
    ids::TransactionId,
    row::{RowAction, RowWrite},
    schema::{Schema, Side},
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Replica, ReplicaError,
    make::{Giver, Workshop},
    outbox,
    write_transaction::WriteTransaction,
};
use crate::{StoreError, base, meta, tables::Tables, writing::Writing};

/// What a command did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptRow {
    /// Its table.
    pub table: String,
    /// Its key, as commands name it: parts joined by `/`.
    pub id: String,
    /// What was done to it.
    pub action: ReceiptAction,
}

/// See [`ReceiptRow`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReceiptAction {
    /// It is new.
    Created,
    /// It has other values.
    Changed,
    /// It is hidden.
    Deleted,
}

/// A command as a page gives it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Order {
    /// Names the transaction that becomes of it, so that asking twice does it once.
    pub id: TransactionId,
    /// What to do.
    pub command: Command,
    /// The refused transaction that this does in another way.
    pub mends: Option<TransactionId>,
}

impl Replica {
    /// Carries out a command as one transaction, which is durable when this returns, and waits in the outbox. Wake the sync
    /// ([`Replica::wake`]) to send it at once.
    pub fn run(&mut self, command: &Command) -> Result<Receipt, ReplicaError> {
        let id = TransactionId(self.host.new_id());
        self.carry_out(id, command, None)
    }

    /// As [`Replica::run`], once: an order that was carried out already is answered as it was then, as long as its transaction
    /// is known here ([`Replica::durability`]).
    pub fn run_once(&mut self, order: &Order) -> Result<Receipt, ReplicaError> {
        let id = if broken!(OrderCarriedOutTwice) {
            TransactionId(self.host.new_id())
        } else {
            order.id
        };
        self.carry_out(id, &order.command, order.mends)
    }

    fn carry_out(
        &mut self,
        id: TransactionId,
        command: &Command,
        mends: Option<TransactionId>,
    ) -> Result<Receipt, ReplicaError> {
        let signed_in = self.session.as_ref().ok_or(ReplicaError::SignedOut)?;
        let giver = Giver {
            first: None,
            user: signed_in.session.user_id,
            role: signed_in.session.role.clone(),
            time: self.host.now(),
            offline: !self.round.is_reachable(),
        };
        let transaction = WriteTransaction::begin(&self.connection)?;
        if let Some(receipt) = outbox::receipt(&transaction, id)? {
            return Ok(receipt);
        }
        if meta::get::<i64>(&transaction, "cursor")?.is_none() {
            return Err(ReplicaError::FirstSync);
        }
        let mut writing = Writing::new(&transaction, Side::Device, giver.time);
        let mut workshop = Workshop {
            connection: &transaction,
            host: &mut self.host,
            key: &self.key,
            actor: &self.actor,
        };
        let receipt = match workshop.make(id, command, &giver, Vec::new(), &mut writing)? {
            None => Receipt::of_nothing(),
            Some(made) => {
                let n = outbox::next_number(&transaction)?;
                base::keep(&transaction, n, &made.opened.body)?;
                let receipt = Receipt {
                    transaction_id: id,
                    changed_tables: writing.finish()?,
                    rows: receipt_rows(&transaction, &made.plan.writes)?,
                };
                outbox::add(&transaction, n, command, &made, &giver, &receipt)?;
                receipt
            }
        };
        if let Some(refused) = mends {
            outbox::mend(&transaction, refused, giver.time)?;
        }
        transaction.commit()?;
        Ok(receipt)
    }
}

impl Receipt {
    fn of_nothing() -> Self {
        Self {
            transaction_id: TransactionId(Uuid::nil()),
            rows: Vec::new(),
            changed_tables: BTreeSet::new(),
        }
    }
}

fn receipt_rows(connection: &Connection, writes: &[RowWrite]) -> Result<Vec<ReceiptRow>, StoreError> {
    let row = |write: &RowWrite| {
        let table = Schema::hospital().by_id(write.table);
        Ok(ReceiptRow {
            table: table.name.to_owned(),
            id: Tables(connection).key_text(table, write.row)?,
            action: match write.action {
                RowAction::Create(_) => ReceiptAction::Created,
                RowAction::Edit(_) => ReceiptAction::Changed,
                RowAction::Delete => ReceiptAction::Deleted,
            },
        })
    };
    writes.iter().map(row).collect()
}
