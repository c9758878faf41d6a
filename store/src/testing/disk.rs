//! What is on a machine's disk: to be kept as a backup, and put back.

use rusqlite::{Connection, MAIN_DB};

use crate::StoreError;

/// A copy of a store's file.
#[derive(Clone)]
pub struct Disk(Vec<u8>);

impl Disk {
    /// What is committed now.
    pub(crate) fn copy(connection: &Connection) -> Result<Self, StoreError> {
        Ok(Self(connection.serialize(MAIN_DB)?.to_vec()))
    }

    /// A store that begins with this.
    pub(crate) fn mount(&self) -> Result<Connection, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        connection.deserialize_read_exact(MAIN_DB, self.0.as_slice(), self.0.len(), false)?;
        Ok(connection)
    }
}
