//! A ward's hub between its devices and the hospital's server.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "../sync/chance.rs"]
mod chance;
mod copied;
mod crash;
mod outage;
mod refused;
mod restored;
mod store;
mod storm;
#[path = "../sync/ward.rs"]
#[allow(dead_code, reason = "the tests of sync use all of it")]
mod ward;
mod world;
