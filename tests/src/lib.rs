//! What tests that cross crates have in common: stores, servers, devices, and what their tables hold.
//!
//! ```text
//!  conformance   Stand (a Store) ◄── Maker (signs transactions)        no network
//!  journeys      Server (the real binary) ◄── HTTP ── Device (a Replica)
//!  faults        the same under load, with processes killed, databases stopped, connections cut, disks full
//! ```

pub mod balancer;
pub mod cluster;
pub mod contents;
pub mod device;
pub mod dice;
pub mod disk;
pub mod exchange;
pub mod faults;
pub mod folder;
pub mod gate;
pub mod hospital;
pub mod http;
pub mod maker;
pub mod measure;
pub mod networks;
pub mod postgres;
pub mod proxy;
pub mod sample;
pub mod server;
pub mod stand;
pub mod tls;
pub mod ward;
pub mod writes;
