//! What runs consisted of, to be told to people.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

/// What happened, and how often.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// By name.
    pub counts: BTreeMap<&'static str, u64>,
    /// Virtual time, in minutes.
    pub minutes: u64,
}

impl Tally {
    /// It happened once more.
    pub fn add(&mut self, what: &'static str) {
        self.add_many(what, 1);
    }

    /// It happened so many times more.
    pub fn add_many(&mut self, what: &'static str, times: u64) {
        *self.counts.entry(what).or_default() += times;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.minutes += other.minutes;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "virtual days {}", self.minutes / 1_440)?;
        self.counts
            .iter()
            .try_for_each(|(what, count)| write!(f, ", {what} {count}"))
    }
}
