//! Choices from a seed.

use holdfast_store::testing::Chance;

/// Throws numbers.
#[derive(Debug)]
pub struct Dice(Chance);

impl Dice {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(Chance::new(seed))
    }

    /// The next number.
    pub fn number(&self) -> u64 {
        self.0.number()
    }

    /// A number below `end`.
    pub fn below(&self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    /// True in so many of a hundred times.
    pub fn percent(&self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of them.
    pub fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// One of them, each as often as its weight says.
    pub fn weighted<T: Copy>(&self, choices: &[(u32, T)]) -> T {
        let sum: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(sum as usize) as u32;
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        unreachable!("BUG: the weights have another sum")
    }
}
