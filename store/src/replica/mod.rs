//! A device's store: what a person does here, and what comes from the server.
//!
//! ```text
//!  page ── run(command) ──► plan → author → ingest ──► tables, documents, outbox, base   one SQLite transaction
//!  page ◄── query, conflicts, outbox, status
//!
//!  next_request() ──► bytes ──► the server ──► bytes ──► take_response()                 one SQLite transaction
//! ```
//!
//! *Architecture invariants*
//! - The replica talks to nobody. It says what to send and is told what came; everything about one response is one SQLite
//!   transaction, so that a crash anywhere loses and doubles nothing.
//! - For every document that a pending transaction writes to, the base holds the document as the stream has it so far.
//! - An actor's numbers are never used twice: the actor is new with each opening and whenever changes are taken back.

mod conflict;
mod durability;
mod error;
mod identity;
mod kept;
mod make;
mod outbox;
mod query;
mod relayed;
mod replay;
mod run;
mod session;
mod sight;
mod status;
mod sync;
mod write_transaction;

use std::collections::{BTreeSet, HashMap};

use ed25519_dalek::SigningKey;
use holdfast_core::{document::Actor, schema::Side};
use rusqlite::Connection;

pub use conflict::{Conflict, ConflictSide};
pub use durability::Durability;
pub use error::ReplicaError;
pub use outbox::OutboxEntry;
pub use run::{Order, Receipt, ReceiptAction, ReceiptRow};
pub use session::Session;
pub use status::{ConnectionState, FirstSync, HubStatus, Status};
pub use sync::{Changed, HttpRequest, HttpResponse, Method, RequestKind};

use crate::{Host, StoreError, base, checksums, schema};

/// A device's store.
pub struct Replica {
    pub(crate) connection: Connection,
    host: Host,
    key: SigningKey,
    actor: Actor,
    session: Option<session::SignedIn>,
    round: sync::Round,
    /// Queries that were found harmless, and the tables that they read.
    checked: HashMap<String, BTreeSet<&'static str>>,
}

impl Replica {
    /// Opens the store and brings it up to date; makes its tables and the device's key at the first opening. `key` is the
    /// 32 bytes that it is encrypted with, and an error where SQLite has no cipher (natively). Who was signed in still is.
    pub fn open(mut connection: Connection, mut host: Host, key: Option<&[u8]>) -> Result<Self, StoreError> {
        schema::prepare(&mut connection, Side::Device, key)?;
        checksums::ensure(&connection)?;
        let key = identity::device_key(&connection, &mut host)?;
        let actor = identity::new_actor(&key, &mut host);
        let session = session::load(&connection)?;
        Ok(Self {
            connection,
            host,
            key,
            actor,
            session,
            round: sync::Round::default(),
            checked: HashMap::new(),
        })
    }

    /// Encrypts a store that was made without a key; from then on it opens with this one.
    pub fn encrypt(&self, key: &[u8]) -> Result<(), StoreError> {
        schema::encrypt(&self.connection, key)
    }
}
