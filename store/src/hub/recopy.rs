//! The hospital's server was put back to a backup, or the copy here differs: the hub drops its copy of the stream and follows
//! it anew from its beginning. What it relays it keeps, and puts on top of the new copy at its end.
//!
//! What the hub knows of the old stream and the new one lacks is not given back from here: the devices that made it do that.

use rusqlite::TransactionBehavior;

use super::{COPYING, list, require, sums};
use crate::{ServerStore, StoreError, checksums, meta, tables};

impl ServerStore {
    /// Drops the copy of the stream, to follow it anew from its beginning. Accounts, devices, what is relayed, what waits and
    /// what was refused stay. Until [`ServerStore::follow`] has reached the end, the hub is [`copying`](super::Hub::copying).
    pub fn diverged(&mut self) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        require(&transaction)?;
        tables::clear(&transaction)?;
        for table in ["sync_log", "sync_changes", "sync_actors", "sync_base"] {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        transaction.execute(
            "UPDATE sync_relay SET place = NULL, accepted = NULL, ask_again = NULL",
            [],
        )?;
        meta::set(&transaction, "head", 0)?;
        checksums::forget(&transaction)?;
        sums::renew(&transaction)?;
        meta::set(&transaction, COPYING, true)?;
        list::begin(&transaction, &mut self.host)?;
        transaction.commit()?;
        self.totals = crate::server::Totals::default();
        Ok(())
    }
}
