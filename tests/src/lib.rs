//! What tests that cross crates have in common: stores, servers, devices, and what their tables hold.
//!
//! ```text
//!  conformance   Stand (a Store) ◄── Maker (signs transactions)        no network
//!  journeys      Server (the real binary) ◄── HTTP ── Device (a Replica)
//!  faults        the same, with kill -9, cut connections and bad input between them
//! ```

pub mod contents;
pub mod dice;
pub mod maker;
pub mod postgres;
pub mod sample;
pub mod stand;
pub mod writes;
