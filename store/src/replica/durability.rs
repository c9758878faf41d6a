//! How far a transaction has come: what happens to it if this device, or the ward's hub, is lost.

use holdfast_core::ids::TransactionId;
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::Replica;
use crate::StoreError;

/// How far a transaction of this device has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Durability {
    /// It was refused, and stays here for a person to mend.
    Refused,
    /// It is on this device alone, or on its way.
    Device,
    /// A hub of the ward keeps it and passes it on.
    Hub,
    /// It is in the hospital's stream.
    Hospital,
}

impl Durability {
    /// Of an entry of the outbox; `at_hub` if a hub keeps it.
    pub(super) fn of_entry(state: &str, at_hub: bool) -> Self {
        match (state, at_hub) {
            ("waiting", false) => Self::Device,
            ("waiting", true) => Self::Hub,
            _ => Self::Refused,
        }
    }
}

impl Replica {
    /// How far a transaction of this device has come, named as its receipt named it, also if it was made again since. `None`
    /// if it is not known: it was discarded, turned out to be done already, or has been in the stream for long.
    pub fn durability(&self, id: TransactionId) -> Result<Option<Durability>, StoreError> {
        let sql = "SELECT state, hub IS NOT NULL FROM sync_outbox
                WHERE (id = ?1 OR first_id = ?1) AND state IN ('waiting', 'rejected')
            UNION ALL SELECT CASE WHEN doubtful THEN 'waiting' ELSE 'kept' END, 0 FROM sync_kept
                WHERE id = ?1 OR first_id = ?1";
        let found: Option<(String, bool)> = self
            .connection
            .prepare_cached(sql)?
            .query_row([id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(found.map(|(state, at_hub)| match state.as_str() {
            "kept" => Durability::Hospital,
            state => Durability::of_entry(state, at_hub),
        }))
    }
}
