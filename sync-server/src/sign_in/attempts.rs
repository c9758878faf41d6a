//! Slows down whoever guesses passwords: after a few failures a user name has to wait, twice as long each time.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;

/// The longest wait. It bounds how long somebody else's guessing can keep a nurse out.
const LONGEST: Duration = Duration::from_mins(1);

/// After this long without a failure a user name starts afresh.
const FORGOTTEN: Duration = Duration::from_mins(15);

/// Beyond this many names, forgotten ones are cleared away; at twice as many also those that wait for nothing, and the
/// older half of the others. So memory is bounded, and whoever floods the server with names sets no other name free.
const MANY: usize = 10_000;

/// The failures of each user name.
#[derive(Default)]
pub struct Attempts {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(self) -> Duration {
        match self.count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(over) => LONGEST.min(Duration::from_secs(1 << over.min(6))),
        }
    }
}

impl Attempts {
    /// How long this name has to wait before its next attempt.
    pub fn wait(&self, username: &str, now: Instant) -> Option<Duration> {
        let failures = *self.lock().get(username)?;
        let passed = now.saturating_duration_since(failures.last);
        failures.wait().checked_sub(passed).filter(|left| !left.is_zero())
    }

    /// An attempt failed.
    pub fn failed(&self, username: &str, now: Instant) {
        let mut names = self.lock();
        if names.len() >= MANY {
            names.retain(|_, f| now.saturating_duration_since(f.last) < FORGOTTEN);
        }
        if names.len() >= 2 * MANY {
            names.retain(|_, f| f.count > FREE);
        }
        if names.len() >= 2 * MANY {
            let mut last: Vec<Instant> = names.values().map(|f| f.last).collect();
            let (_, middle, _) = last.select_nth_unstable(MANY);
            let middle = *middle;
            names.retain(|_, f| f.last > middle);
        }
        let failures = names
            .entry(username.to_owned())
            .or_insert(Failures { count: 0, last: now });
        if now.saturating_duration_since(failures.last) >= FORGOTTEN {
            failures.count = 0;
        }
        *failures = Failures {
            count: failures.count.saturating_add(1),
            last: now,
        };
    }

    /// An attempt succeeded.
    pub fn succeeded(&self, username: &str) {
        self.lock().remove(username);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_few_failures_the_wait_doubles_up_to_a_minute() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..14 {
            attempts.failed("ada", start);
            waits.push(attempts.wait("ada", start).map_or(0, |w| w.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(attempts.wait("grace", start), None, "others do not wait");
        assert_eq!(attempts.wait("ada", start + LONGEST), None);
    }

    #[test]
    fn success_and_time_forgive() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..9 {
            attempts.failed("ada", start);
            attempts.failed("grace", start);
        }
        attempts.succeeded("ada");
        assert_eq!(attempts.wait("ada", start), None);
        attempts.failed("grace", start + FORGOTTEN);
        assert_eq!(attempts.wait("grace", start + FORGOTTEN), None);
    }

    #[test]
    fn a_flood_of_names_takes_bounded_memory_and_sets_nobody_free() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..14 {
            attempts.failed("ada", start);
        }
        for n in 0..5 * MANY {
            attempts.failed(&format!("name {n}"), start);
        }
        assert!(attempts.lock().len() <= 2 * MANY);
        assert_eq!(attempts.wait("ada", start), Some(LONGEST));
        // Names that have to wait are many more failures.
        for n in 0..3 * MANY {
            let then = start + Duration::from_millis(n as u64);
            (0..=FREE).for_each(|_| attempts.failed(&format!("name {n}"), then));
        }
        assert!(attempts.lock().len() <= 2 * MANY);
    }
}
