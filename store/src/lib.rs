//! The SQLite store: a server's ([`ServerStore`]) and a device's ([`Replica`]), the same natively and in the browser.
//!
//! ```text
//!   ServerStore ─┐                 ┌── load ──► WorkingSet ──┐
//!                ├─ one SQLite ────┤                         ├─ core's ingest
//!   Replica ─────┘  transaction    └── write ◄── Effects ────┘
//! ```
//!
//! *Architecture invariants*
//! - Log, documents, the 33 tables, claims, conflicts and outbox move in one SQLite transaction.
//! - Nothing here reads a clock or randomness by itself: see [`Host`]. No threads, no network.

#[macro_use]
mod broken;
mod base;
mod checksums;
mod conflicts;
mod error;
mod hex;
mod host;
pub mod hub;
mod meta;
mod replay;
pub mod replica;
pub mod schema;
pub mod server;
mod sql_value;
mod tables;
#[cfg(feature = "testing")]
pub mod testing;
mod writing;

pub use conflicts::sides_json;
pub use error::StoreError;
pub use host::Host;
pub use replay::{Flaw, Replay, ReplayEntry, ReplayError};
pub use replica::Replica;
pub use server::ServerStore;
