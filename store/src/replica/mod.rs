//! A device's store: what a person does here, and what comes from the server.
//!
//! ```text
//!  page ── run(command) ──► plan → author → ingest ──► tables, documents, outbox, base   one SQLite transaction
//!  page ◄── query, conflicts, outbox, status
//!
//!  next_request() ──► bytes ──► the server ──► bytes ──► take_response()                 one SQLite transaction
//! ```
//!
//! *Architecture invariant*: the replica talks to nobody. It says what to send and is told what came; everything about one
//! response is one SQLite transaction, so that a crash anywhere loses and doubles nothing.

mod error;
mod outbox;
mod query;
mod run;
mod session;
mod status;
mod sync;

use rusqlite::Connection;

pub use error::ReplicaError;
pub use outbox::OutboxEntry;
pub use run::{Receipt, ReceiptAction, ReceiptRow};
pub use session::Session;
pub use status::{ConnectionState, FirstSync, Status};
pub use sync::{Changed, HttpRequest, Method, RequestKind};

use crate::{Host, StoreError};

/// A device's store.
pub struct Replica {
    connection: Connection,
    host: Host,
}

impl Replica {
    /// Opens the store and brings it up to date; makes its tables and the device's key at the first opening. `key` is for
    /// encryption at rest, which is not supported yet: give `None`.
    pub fn open(connection: Connection, host: Host, key: Option<&[u8]>) -> Result<Self, StoreError> {
        let _ = key;
        Ok(Self { connection, host })
    }
}
