//! The hubs that the hospital's server knows.

use holdfast_core::ids::Timestamp;
use rusqlite::OptionalExtension;

use super::{ServerStore, TokenHash};
use crate::StoreError;

/// A ward's hub, as the hospital's server knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownHub {
    /// What people call it; no two share a name.
    pub name: String,
    /// Since when it has its token.
    pub added_at: Timestamp,
    /// When it last asked for something, to the minute or so.
    pub seen_at: Option<Timestamp>,
    /// It is locked out since.
    pub revoked_at: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT name, added_at, seen_at, revoked_at FROM sync_hubs";

impl ServerStore {
    /// Makes a hub known. One that was locked out may be added anew. False if another has the name.
    pub fn add_hub(&mut self, name: &str, token: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "INSERT INTO sync_hubs (name, token_hash, added_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (name) DO UPDATE SET token_hash = ?2, added_at = ?3, seen_at = NULL, revoked_at = NULL
                WHERE revoked_at IS NOT NULL";
        Ok(self.connection.execute(sql, (name, token, now.0))? > 0)
    }

    /// All hubs, by name.
    pub fn hubs(&self) -> Result<Vec<KnownHub>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
        let found = statement.query_map([], read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The hub with this token.
    pub fn hub_of_token(&self, token: &TokenHash) -> Result<Option<KnownHub>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE token_hash = ?1"))?;
        Ok(statement.query_row([token], read).optional()?)
    }

    /// Remembers that a hub asked for something.
    pub fn hub_seen(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE sync_hubs SET seen_at = ?2 WHERE name = ?1";
        self.connection.execute(sql, (name, now.0))?;
        Ok(())
    }

    /// Takes nothing from the hub any more, and gives it nothing. False if there is none of this name.
    pub fn revoke_hub(&mut self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE sync_hubs SET revoked_at = coalesce(revoked_at, ?2) WHERE name = ?1";
        Ok(self.connection.execute(sql, (name, now.0))? > 0)
    }
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<KnownHub> {
    Ok(KnownHub {
        name: row.get(0)?,
        added_at: Timestamp(row.get(1)?),
        seen_at: row.get::<_, Option<i64>>(2)?.map(Timestamp),
        revoked_at: row.get::<_, Option<i64>>(3)?.map(Timestamp),
    })
}
