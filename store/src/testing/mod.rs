//! A server and its devices in one process, without network, clock or chance: for tests here and in other crates.
//!
//! ```text
//!  Device ── HttpRequest bytes ──► TestServer::handle ──► ServerStore
//!         ◄── status, bytes ──────
//! ```

mod device;
mod dump;
mod server;

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use holdfast_core::ids::Timestamp;

pub use device::Device;
pub use dump::Dump;
pub use server::TestServer;

use crate::Host;

/// A clock that tests move on. Each look at it takes a millisecond.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Default for Clock {
    /// Noon of the last day of January 2026.
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(1_769_860_800_000_000)))
    }
}

impl Clock {
    /// The time, which goes on by a millisecond.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::Relaxed))
    }

    /// Moves on.
    pub fn pass(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60_000_000, Ordering::Relaxed);
    }

    /// A host with this clock and with numbers from a seed instead of randomness.
    pub fn host(&self, seed: u64) -> Host {
        let clock = self.clone();
        let state = AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Host {
            now: Box::new(move || clock.now()),
            random: Box::new(move |bytes| {
                for chunk in bytes.chunks_mut(8) {
                    let number = split_mix(&state).to_le_bytes();
                    chunk.copy_from_slice(&number[..chunk.len()]);
                }
            }),
        }
    }
}

/// The generator `SplitMix64` (Steele, Lea and Flood 2014).
fn split_mix(state: &AtomicU64) -> u64 {
    let step = 0x9e37_79b9_7f4a_7c15;
    let mut z = state.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
