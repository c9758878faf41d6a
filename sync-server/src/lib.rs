//! The sync server: HTTP, both stores, the command line.

pub mod cli;
pub mod committer;
pub mod demo;
pub mod export;
pub mod hex;
pub mod http;
pub mod import;
pub mod places;
pub mod sign_in;
pub mod store;
pub mod upstream;
pub mod validate;
pub mod verify;
pub mod writer;
