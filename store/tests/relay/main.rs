//! A device and what its ward's hub relays. The hub is made by hand: it says what a test lets it say.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod hostile;
mod hub;
mod list;
mod own;
mod shown;
#[path = "../sync/ward.rs"]
#[allow(dead_code, reason = "the tests of sync use all of it")]
mod ward;
