//! A server and its devices in one process, without network, clock or chance: for tests here and in other crates.
//!
//! ```text
//!  Device ── HttpRequest bytes ──► TestServer::handle ──► ServerStore
//!         ◄── status, bytes ──────
//! ```

mod clock;
mod crash;
mod device;
mod disk;
mod dump;
mod hub;
mod mutation;
mod server;
mod state;
mod unneeded;

pub use clock::{Chance, Clock};
pub use crash::{Crash, CrashPoint};
pub use device::{Device, Kept};
pub use disk::{Database, Disk};
pub use dump::Dump;
pub use hub::{Answer, Ask};
pub(crate) use mutation::break_effects;
pub use mutation::{Broken, Mutation, mutation, unbroken};
pub use server::TestServer;
pub use state::State;
pub(crate) use unneeded::note;
pub use unneeded::take_unneeded;
