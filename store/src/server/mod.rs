//! The server's store: the stream, the tables, accounts, devices and sessions.

mod accept;
mod access;
mod account;
mod checkpoint;
mod device;
mod fsync;
mod hubs;
mod judge;
mod load;
mod log;
mod quarantine;
mod session;
mod snapshot;
mod stream;
mod waiting;

use std::path::Path;

use ed25519_dalek::SigningKey;
use holdfast_core::schema::Side;
use rusqlite::Connection;
use uuid::Uuid;

pub use accept::{Objection, Submission, done_already, id_taken};
pub(crate) use accept::{refuse_all, take_in};
pub use account::Account;
pub use checkpoint::Checkpointer;
pub use device::Device;
pub use hubs::KnownHub;
pub use log::Logged;
pub(crate) use log::{head, log};
pub use quarantine::Quarantined;
pub(crate) use quarantine::leave as leave_quarantine;
pub use session::{Session, SignedIn, TokenHash};
pub(crate) use snapshot::Totals;
pub use stream::Pulled;
pub use waiting::WaitingCount;
pub(crate) use waiting::{await_no_longer, leave as leave_waiting};

use crate::{Host, StoreError, checksums, hub, meta, schema, sql_value};

/// A server's store on SQLite. Blocking: use it from a thread of its own.
pub struct ServerStore {
    pub(crate) connection: Connection,
    pub(crate) host: Host,
    pub(crate) totals: Totals,
    /// The end of the stream, as [`crate::testing`] lets a broken server remember it.
    #[cfg(feature = "testing")]
    pub(crate) remembered: std::cell::Cell<Option<holdfast_core::ids::Seq>>,
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

    pub(crate) fn from_connection(mut connection: Connection, mut host: Host) -> Result<Self, StoreError> {
        schema::prepare(&mut connection, Side::Server, None)?;
        let transaction = connection.transaction()?;
        if meta::get::<String>(&transaction, "hospital_id")?.is_none() {
            let id = uuid::Builder::from_random_bytes(host.bytes()).into_uuid();
            meta::set(&transaction, "hospital_id", id.to_string())?;
            meta::set(&transaction, "server_key", host.bytes::<32>())?;
        }
        if let Some(seed) = meta::get(&transaction, "server_key")? {
            let public_key = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
            Self::register_server(&transaction, &public_key, host.now())?;
        }
        checksums::ensure(&transaction)?;
        transaction.commit()?;
        if hub::id(&connection)?.is_some() {
            hub::open_list(&mut connection, &mut host)?;
        }
        Ok(Self {
            connection,
            host,
            totals: Totals::default(),
            #[cfg(feature = "testing")]
            remembered: std::cell::Cell::default(),
        })
    }

    /// Names the hospital's stream; made with the store.
    pub fn hospital_id(&self) -> Result<Uuid, StoreError> {
        let id: Option<String> = meta::get(&self.connection, "hospital_id")?;
        sql_value::uuid_text(&id.ok_or_else(|| StoreError::corrupt("it has no hospital_id"))?)
    }

    /// The server's own key: it signs what the server itself imports. Made with the store; a hub's has none.
    pub fn server_key(&self) -> Result<SigningKey, StoreError> {
        if hub::id(&self.connection)?.is_some() {
            return Err(StoreError::IsHub);
        }
        let seed: Option<[u8; 32]> = meta::get(&self.connection, "server_key")?;
        let seed = seed.ok_or_else(|| StoreError::corrupt("it has no server_key"))?;
        Ok(SigningKey::from_bytes(&seed))
    }
}
