//! The sync server: HTTP, both stores, the command line.

pub mod store;
pub mod writer;
