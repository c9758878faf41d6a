//! Chance, seeded: the same seed and time give the same hospital, id by id.

use fake::{Dummy, Fake};
use holdfast_core::ids::{RowId, Timestamp};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// In [`Timestamp`]'s microseconds.
pub(super) const MINUTE: i64 = 60_000_000;
/// See [`MINUTE`].
pub(super) const HOUR: i64 = 60 * MINUTE;
/// See [`MINUTE`].
pub(super) const DAY: i64 = 24 * HOUR;

/// See the module.
pub(super) struct Dice {
    rng: Xoshiro256PlusPlus,
    /// The time that everything is relative to.
    pub now: Timestamp,
    /// Ids given out, so that those of one millisecond keep their order.
    ids: u32,
}

impl Dice {
    /// Another series gives other ids, even for the same seed and time.
    pub fn new(seed: u64, series: &str, now: Timestamp) -> Self {
        let mixed = |seed: u64, byte| seed.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte);
        let rng = Xoshiro256PlusPlus::seed_from_u64(series.bytes().fold(seed, mixed));
        Self { rng, now, ids: 0 }
    }

    /// From `low` to `high`, both included; `low` if they are the wrong way round.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.rng.random_range(low..=high.max(low))
    }

    /// A place in a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        self.rng.random_range(0..length)
    }

    /// True in so many of 100 cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// One of them, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, of: &[(T, u32)]) -> T {
        let total = of.iter().map(|(_, weight)| weight).sum();
        let mut left = self.rng.random_range(0..total);
        for (item, weight) in of {
            match left.checked_sub(*weight) {
                None => return *item,
                Some(rest) => left = rest,
            }
        }
        unreachable!("BUG: the weights add up to more than their sum")
    }

    /// In another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    /// What one of the library's fakers makes.
    pub fn fake<T, F>(&mut self, faker: &F) -> T
    where
        T: Dummy<F>,
    {
        faker.fake_with_rng(&mut self.rng)
    }

    /// A time between these two.
    pub fn time(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        whole_seconds(self.between(from.0, to.0))
    }

    /// A time before now, at least and at most so long ago.
    pub fn ago(&mut self, least: i64, most: i64) -> Timestamp {
        let back = self.between(least, most);
        whole_seconds(self.now.0 - back)
    }

    /// A time after another one, at least and at most so long after it.
    pub fn after(&mut self, time: Timestamp, least: i64, most: i64) -> Timestamp {
        let on = self.between(least, most);
        whole_seconds(time.0 + on)
    }

    /// A new UUID v7, as if a device had made the row at that time.
    pub fn id(&mut self, at: Timestamp) -> RowId {
        self.ids = self.ids.wrapping_add(1);
        let mut tail: [u8; 10] = self.rng.random();
        tail[0] = (self.ids >> 24) as u8 & 0x0f;
        // The two bits above the next byte are the variant's.
        tail[1] = (self.ids >> 16) as u8;
        tail[2] = (self.ids >> 10) as u8 & 0x3f;
        tail[3] = (self.ids >> 2) as u8;
        tail[4] = (self.ids << 6) as u8 | (tail[4] & 0x3f);
        let milliseconds = u64::try_from(at.0 / 1000).unwrap_or(0);
        RowId(uuid::Builder::from_unix_timestamp_millis(milliseconds, &tail).into_uuid())
    }
}

fn whole_seconds(micros: i64) -> Timestamp {
    Timestamp(micros.div_euclid(1_000_000) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_keep_their_order() {
        let now = Timestamp(1_769_860_800_000_000);
        let mut dice = Dice::new(1, "", now);
        let ids: Vec<_> = (0..2000).map(|_| dice.id(now)).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].0.get_version_num(), 7);
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(1, "", Timestamp(0));
        let heads = (0..1000).filter(|_| dice.weighted(&[(true, 9), (false, 1)])).count();
        assert!((850..950).contains(&heads), "{heads}");
    }
}
