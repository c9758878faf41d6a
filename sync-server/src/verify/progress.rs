//! How far a long check is.

use std::time::{Duration, Instant};

/// What is being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The log's entries are checked and folded.
    Fold,
    /// What came out is compared with the store.
    Compare,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// With what.
    pub phase: Phase,
    /// Entries or rows done.
    pub done: u64,
    /// Entries or rows in all, about.
    pub total: u64,
    /// Since the phase began.
    pub elapsed: Duration,
}

impl Progress {
    /// Entries or rows a second.
    pub fn rate(&self) -> u64 {
        (u128::from(self.done) * 1000 / self.elapsed.as_millis().max(1)) as u64
    }

    /// How long the phase will take from here, if it goes on like this.
    pub fn left(&self) -> Duration {
        let left = self.total.saturating_sub(self.done);
        Duration::from_secs(left.checked_div(self.rate()).unwrap_or(0))
    }
}

/// Counts, and tells now and then.
pub(super) struct Meter<F> {
    tell: F,
    began: Instant,
    told: Instant,
    phase: Phase,
    done: u64,
    total: u64,
}

impl<F: FnMut(Progress)> Meter<F> {
    pub fn new(tell: F) -> Self {
        Self {
            tell,
            began: Instant::now(),
            told: Instant::now(),
            phase: Phase::Fold,
            done: 0,
            total: 0,
        }
    }

    /// Begins a phase.
    pub fn begin(&mut self, phase: Phase, total: u64) {
        (self.phase, self.total, self.done) = (phase, total, 0);
        self.began = Instant::now();
    }

    /// So much more is done.
    pub fn add(&mut self, more: u64) {
        self.done += more;
        if self.told.elapsed() < Duration::from_millis(500) {
            return;
        }
        self.told = Instant::now();
        (self.tell)(Progress {
            phase: self.phase,
            done: self.done,
            total: self.total,
            elapsed: self.began.elapsed(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_done_in_ten_seconds_leaves_ten() {
        let progress = Progress {
            phase: Phase::Fold,
            done: 5_000,
            total: 10_000,
            elapsed: Duration::from_secs(10),
        };
        assert_eq!((progress.rate(), progress.left()), (500, Duration::from_secs(10)));
    }

    #[test]
    fn nothing_done_promises_nothing() {
        let progress = Progress {
            phase: Phase::Compare,
            done: 0,
            total: 10,
            elapsed: Duration::ZERO,
        };
        assert_eq!((progress.rate(), progress.left()), (0, Duration::ZERO));
    }
}
