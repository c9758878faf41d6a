//! The server's store: the stream, the tables, accounts, devices and sessions.

mod account;
mod device;
mod quarantine;
mod session;
mod snapshot;
mod stream;

use std::path::Path;

use ed25519_dalek::SigningKey;
use rusqlite::Connection;
use uuid::Uuid;

pub use account::Account;
pub use device::Device;
pub use quarantine::Quarantined;
pub use session::{Session, TokenHash};
pub use stream::{Pulled, Submission};

use crate::{Host, StoreError};

/// A server's store on SQLite. Blocking: use it from a thread of its own.
pub struct ServerStore {
    connection: Connection,
    host: Host,
}

impl ServerStore {
    /// Opens the store in this file and brings it up to date; makes it if there is none.
    pub fn open(path: impl AsRef<Path>, host: Host) -> Result<Self, StoreError> {
        Self::from_connection(Connection::open(path)?, host)
    }

    /// A store that is gone when it is dropped.
    pub fn in_memory(host: Host) -> Result<Self, StoreError> {
        Self::from_connection(Connection::open_in_memory()?, host)
    }

    fn from_connection(connection: Connection, host: Host) -> Result<Self, StoreError> {
        Ok(Self { connection, host })
    }

    /// Names the hospital's stream; made with the store.
    pub fn hospital_id(&self) -> Result<Uuid, StoreError> {
        todo!()
    }

    /// The server's own key: it signs what the server itself imports. Made with the store.
    pub fn server_key(&self) -> Result<SigningKey, StoreError> {
        todo!()
    }
}
