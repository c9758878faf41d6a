//! Holdfast's engine: schema, documents, commands, merge, validation, projection and the protocol's messages.
//!
//! *Architecture invariant*: nothing here does IO or reads a clock or randomness; times, ids and entropy are arguments.
//! The same code runs in browsers, in the server and in simulations.

pub mod author;
pub mod checksum;
pub mod command;
pub mod document;
pub mod ids;
pub mod ingest;
pub mod policy;
pub mod protocol;
pub mod row;
pub mod schema;
pub mod transaction;
pub mod value;
