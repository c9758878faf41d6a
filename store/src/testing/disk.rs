//! What is on a machine's disk: to be kept as a backup, and put back.

use std::sync::atomic::{AtomicU64, Ordering};

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

/// A database that several processes have open at once. It is there as long as this lives, whoever of them dies.
pub struct Database {
    name: String,
    _keeper: Connection,
}

impl Database {
    /// A database that begins with this.
    pub fn start(disk: &Disk) -> Result<Self, StoreError> {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        // SQLite's memdb shares what has a name that begins with a slash, within this program.
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("file:/holdfast-{number}?vfs=memdb");
        let keeper = Connection::open(&name)?;
        disk.mount()?.execute("VACUUM INTO ?1", [&name])?;
        Ok(Self { name, _keeper: keeper })
    }

    /// Another connection to it.
    pub(crate) fn connect(&self) -> Result<Connection, StoreError> {
        Ok(Connection::open(&self.name)?)
    }
}
