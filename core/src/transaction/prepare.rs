//! What is done with each transaction before anything is decided, on several threads: reading, verifying, opening. It is
//! ten times what deciding costs, and no transaction waits for another.
//!
//! ```text
//!  transactions ─► some at a time to whichever thread is free ─► results in the transactions' order ─► ingest, one by one
//! ```

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// How many a thread takes at a time, at least: about as much work as starting a thread is.
const FEW: usize = 8;
/// … and at most: more signatures than that are not verified in less time each.
const MANY: usize = 250;

/// Does `work` on some of the items at a time, on up to `threads` threads, the calling one among them, and returns the
/// results in the items' order. Where no thread can be started (in a browser), the calling one does it all. `work` gives a
/// result for each of its items, in their order.
///
/// # Panics
/// If `work` panics.
pub fn prepare<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let share = items.len().div_ceil(threads.max(1)).clamp(FEW, MANY);
    let shares = items.len().div_ceil(share);
    if threads < 2 || shares < 2 {
        return items.chunks(share).flat_map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(some) = items.chunks(share).nth(at) else {
                return done;
            };
            done.push((at, work(some)));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(shares))
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, take).ok())
            .collect();
        let mut done = take();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn each<T, R>(work: impl Fn(&T) -> R) -> impl Fn(&[T]) -> Vec<R> {
        move |some| some.iter().map(&work).collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_items_on_any_number_of_threads() {
        for length in [0, 1, FEW, FEW + 1, 1_000] {
            let items: Vec<usize> = (0..length).collect();
            let expected: Vec<usize> = items.iter().map(|n| n * 3).collect();
            for threads in [0, 1, 2, 3, 8] {
                assert_eq!(prepare(&items, threads, each(|n| n * 3)), expected, "{threads} threads");
            }
        }
    }

    #[test]
    fn a_few_items_wake_no_other_thread() {
        let me = thread::current().id();
        let threads = prepare(&[(); FEW], 4, each(|()| thread::current().id()));
        assert!(threads.iter().all(|id| *id == me));
    }

    #[test]
    fn two_threads_work_at_the_same_time() {
        // Each waits for the other once: on one thread this would not end.
        let (here, met) = (AtomicUsize::new(0), std::sync::Barrier::new(2));
        let threads = prepare(&[(); 2 * FEW], 2, |some| {
            if here.fetch_add(1, Ordering::Relaxed) < 2 {
                met.wait();
            }
            vec![thread::current().id(); some.len()]
        });
        assert_ne!(threads[0], threads[2 * FEW - 1]);
    }

    #[test]
    fn a_panic_of_one_item_is_passed_on() {
        for threads in [1, 2] {
            let items: Vec<usize> = (0..100).collect();
            let passed_on =
                catch_unwind(|| prepare(&items, threads, each(|n| assert_ne!(*n, 70, "the item that panics"))));
            assert!(passed_on.is_err());
        }
    }
}
