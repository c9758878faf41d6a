//! The sync server: HTTP, both stores, the command line.

pub mod demo;
pub mod store;
pub mod validate;
pub mod writer;
