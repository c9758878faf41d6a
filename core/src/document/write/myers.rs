//! What two sequences have in common, by Myers' algorithm in linear space: "An O(ND) Difference Algorithm and Its
//! Variations", Algorithmica 1986, section 4b.
//!
//! A way from the start of both sequences to their ends takes an old item away, adds a new one, or keeps one that both have.
//! Searches from the start and from the end take the ways of 1, 2, 3… changes until they meet: there the shortest way is cut in
//! two. A search is bounded, as git's is: sequences with little in common get a way that is not quite the shortest.

use std::ops::Range;

/// How many changes a search takes before it settles for the way that is furthest.
const BOUND: i32 = 256;

/// A diagonal that no way has reached.
const NOWHERE: i32 = i32::MIN / 2;

/// For each old item, its place among the new ones if it is kept. Places rise, and kept items are equal. Takes at most
/// (old + new) × 256 steps.
pub(super) fn kept(old: &[u32], new: &[u32]) -> Vec<Option<usize>> {
    let mut kept = vec![None; old.len()];
    keep(&mut kept, (old, 0..old.len()), (new, 0..new.len()));
    kept
}

fn keep(kept: &mut [Option<usize>], (old, mut a): (&[u32], Range<usize>), (new, mut b): (&[u32], Range<usize>)) {
    loop {
        while !a.is_empty() && !b.is_empty() && old[a.start] == new[b.start] {
            kept[a.start] = Some(b.start);
            (a.start, b.start) = (a.start + 1, b.start + 1);
        }
        while !a.is_empty() && !b.is_empty() && old[a.end - 1] == new[b.end - 1] {
            (a.end, b.end) = (a.end - 1, b.end - 1);
            kept[a.end] = Some(b.end);
        }
        if a.is_empty() || b.is_empty() {
            return;
        }
        let (x, y) = cut(&old[a.clone()], &new[b.clone()]);
        let (x, y) = (a.start + x, b.start + y);
        // The first half is solved with half the changes, or at most `BOUND`: this goes no deeper than their logarithm.
        keep(kept, (old, a.start..x), (new, b.start..y));
        (a.start, b.start) = (x, y);
    }
}

/// A point within a short way, at neither end of it. Both sequences hold something, and neither their first nor their last
/// items are equal: there are two changes at least.
fn cut(old: &[u32], new: &[u32]) -> (usize, usize) {
    let (n, m) = (old.len(), new.len());
    let mut forward = Search::new(n, m);
    let mut backward = Search::new(n, m);
    let apart = n as i32 - m as i32;
    for changes in 1..=BOUND {
        for k in forward.diagonals(changes) {
            let x = forward.advance(k, |x, y| old[x] == new[y]);
            if apart % 2 != 0 && x + backward.at(apart - k) >= n as i32 {
                return (x as usize, (x - k) as usize);
            }
        }
        for k in backward.diagonals(changes) {
            let x = backward.advance(k, |x, y| old[n - 1 - x] == new[m - 1 - y]);
            if apart % 2 == 0 && x + forward.at(apart - k) >= n as i32 {
                return (n - x as usize, m - (x - k) as usize);
            }
        }
    }
    forward.furthest()
}

/// The furthest points of the ways with a number of changes, from one end. Diagonal `k` has the points (x, x - k).
struct Search {
    n: i32,
    m: i32,
    /// The x of each diagonal, from that of the most added items, with one more on either side.
    reached: Vec<i32>,
    /// Where the diagonal 0 is in `reached`.
    middle: i32,
}

impl Search {
    fn new(n: usize, m: usize) -> Self {
        let (n, m) = (n as i32, m as i32);
        let middle = m.min(BOUND) + 1;
        let mut reached = vec![NOWHERE; (middle + n.min(BOUND) + 2) as usize];
        reached[middle as usize] = 0;
        Self { n, m, reached, middle }
    }

    /// The diagonals that a way of so many changes can end on.
    fn diagonals(&self, changes: i32) -> impl Iterator<Item = i32> + use<> {
        let lowest = -changes + 2 * (changes - self.m).max(0);
        let highest = changes - 2 * (changes - self.n).max(0);
        (lowest..=highest).step_by(2)
    }

    fn at(&self, k: i32) -> i32 {
        let place = usize::try_from(self.middle + k).ok();
        place
            .and_then(|place| self.reached.get(place))
            .copied()
            .unwrap_or(NOWHERE)
    }

    /// One more change, onto diagonal `k`, and from there over all that is equal.
    fn advance(&mut self, k: i32, equal: impl Fn(usize, usize) -> bool) -> i32 {
        let within = |x: i32| if x <= self.n && x - k <= self.m { x } else { NOWHERE };
        let mut x = within(self.at(k - 1) + 1).max(within(self.at(k + 1)));
        if x < 0 {
            x = NOWHERE;
        }
        while x >= 0 && x < self.n && x - k < self.m && equal(x as usize, (x - k) as usize) {
            x += 1;
        }
        self.reached[(self.middle + k) as usize] = x;
        x
    }

    fn furthest(&self) -> (usize, usize) {
        let points = (-self.middle..).zip(&self.reached).filter(|(_, x)| **x >= 0);
        let best = points.map(|(k, x)| (*x, x - k)).max_by_key(|(x, y)| x + y);
        let (x, y) = best.expect("BUG: a search reaches its own start");
        (x as usize, y as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::{collection::vec, prelude::*};
    use similar::algorithms::{Capture, myers};

    use super::*;

    /// How many items the shortest way keeps, by `similar`.
    fn most_kept(old: &[u32], new: &[u32]) -> usize {
        let mut capture = Capture::new();
        let taken: Result<(), Infallible> =
            myers::diff_deadline_raw(&mut capture, old, 0..old.len(), new, 0..new.len(), None);
        let Ok(()) = taken;
        let equal = capture
            .ops()
            .iter()
            .filter(|op| matches!(op, similar::DiffOp::Equal { .. }));
        equal.map(|op| op.old_range().len()).sum()
    }

    /// The kept pairs, if what is kept is common to both, in the order of both.
    fn pairs(old: &[u32], new: &[u32]) -> Vec<(usize, usize)> {
        let kept = kept(old, new);
        let pairs: Vec<_> = (0..).zip(kept).filter_map(|(i, j)| Some((i, j?))).collect();
        assert!(pairs.iter().all(|(i, j)| old[*i] == new[*j]));
        assert!(pairs.is_sorted_by(|a, b| a.1 < b.1));
        pairs
    }

    proptest! {
        #[test]
        fn as_much_is_kept_as_can_be(old in vec(0..6_u32, 0..60), new in vec(0..6_u32, 0..60)) {
            prop_assert_eq!(pairs(&old, &new).len(), most_kept(&old, &new));
        }
    }

    #[test]
    fn a_few_edits_of_a_long_text_keep_the_rest() {
        let old: Vec<u32> = (0..10_000).map(|i| i * 7 % 31).collect();
        let mut new = old.clone();
        for place in [100, 5_000, 8_765] {
            new[place] = 99;
            new.splice(place + 10..place + 20, [77, 78]);
        }
        assert_eq!(pairs(&old, &new).len(), most_kept(&old, &new));
    }

    #[test]
    fn long_texts_with_little_in_common_take_no_long_search() {
        let mut state = 1_u32;
        let mut text = |letters: u32| -> Vec<u32> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) % letters
            };
            (0..8_000).map(|_| next()).collect()
        };
        let (old, new) = (text(200), text(200));
        assert!(pairs(&old, &new).len() > 100);
        let other: Vec<u32> = new.iter().map(|item| item + 1_000).collect();
        assert_eq!(pairs(&old, &other), []);
    }
}
