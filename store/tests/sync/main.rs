//! Two devices and a server exchange bytes by hand.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod ahead;
mod chance;
mod conflicts;
mod lost;
mod merge;
mod other_hospital;
mod refused;
mod restored;
mod session;
mod sight;
mod storm;
mod sums;
mod waiting;
mod ward;
