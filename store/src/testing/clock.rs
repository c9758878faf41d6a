//! Time and chance that tests decide.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use holdfast_core::ids::Timestamp;

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

    /// Moves on, or back if it is negative.
    pub fn pass(&self, minutes: i64) {
        self.jump(minutes * 60_000_000);
    }

    /// Moves on by microseconds, or back if they are negative.
    pub fn jump(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::Relaxed);
    }

    /// A host with this clock and with numbers from a seed instead of randomness.
    pub fn host(&self, seed: u64) -> Host {
        self.host_with(&Chance::new(seed))
    }

    /// A host with this clock and with these numbers instead of randomness.
    pub fn host_with(&self, chance: &Chance) -> Host {
        let (clock, chance) = (self.clone(), chance.clone());
        Host {
            now: Box::new(move || clock.now()),
            random: Box::new(move |bytes| chance.fill(bytes)),
        }
    }
}

/// Numbers from a seed: the generator `SplitMix64` (Steele, Lea and Flood 2014). Clones go on together.
#[derive(Clone, Debug)]
pub struct Chance(Arc<AtomicU64>);

impl Chance {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        let chance = Self(Arc::default());
        chance.reseed(seed);
        chance
    }

    /// Begins anew from another seed.
    pub fn reseed(&self, seed: u64) {
        // Mixed, because the generator goes on by adding: neighbouring seeds would give the same numbers, one later.
        self.0.store(mix(seed ^ 0xa076_1d64_78bd_642f), Ordering::Relaxed);
    }

    /// The next number.
    pub fn number(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15;
        mix(self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step))
    }

    /// Fills bytes.
    pub fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.number().to_le_bytes()[..chunk.len()]);
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
