//! How many processors verify what devices push. It takes about as long as committing, and of a ward that comes back everybody
//! pushes at once: were all of that verified at once, the one transaction that the rest waits for would get a fifth of a
//! processor. So one processor is left to it.

use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use super::blocking;
use crate::http::ApiError;

/// How many threads verify one push.
const THREADS: usize = 2;

/// Transactions that are verified in less time than it takes to queue for it.
const FEW: usize = 32;

/// Lets pushes be verified.
pub(in crate::http) struct Processors {
    threads: usize,
    turns: Semaphore,
}

impl Processors {
    /// All of the machine's but one.
    pub(in crate::http) fn all_but_one() -> Self {
        Self::of(available_parallelism().map_or(1, usize::from))
    }

    fn of(processors: usize) -> Self {
        let free = processors.saturating_sub(1).max(1);
        let threads = THREADS.min(free);
        Self {
            threads,
            turns: Semaphore::new(free / threads),
        }
    }

    /// Runs what verifies a push of so many transactions when it is its turn. It is given the number of threads that it may use.
    pub(in crate::http) async fn verify<T: Send + 'static>(
        &self,
        transactions: usize,
        work: impl FnOnce(usize) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let threads = self.threads;
        let turn = if transactions <= FEW {
            None
        } else {
            self.turns.acquire().await.ok()
        };
        let verified = blocking(move || work(threads)).await;
        drop(turn);
        verified
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::task::JoinSet;

    use super::*;

    /// How many pushes of so many transactions were verified at the same time, at most.
    async fn at_once(processors: usize, transactions: usize) -> usize {
        let processors = Arc::new(Processors::of(processors));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut pushes = JoinSet::new();
        for _ in 0..12 {
            let (processors, now, most) = (Arc::clone(&processors), Arc::clone(&now), Arc::clone(&most));
            pushes.spawn(async move {
                let work = move |_| {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    now.fetch_sub(1, Ordering::SeqCst);
                };
                processors.verify(transactions, work).await.expect("no panic");
            });
        }
        pushes.join_all().await;
        most.load(Ordering::SeqCst)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_processor_is_left_to_whoever_commits() {
        for (processors, threads, turns) in [(1, 1, 1), (2, 1, 1), (3, 2, 1), (4, 2, 1), (5, 2, 2), (16, 2, 7)] {
            let found = Processors::of(processors);
            assert_eq!((found.threads, found.turns.available_permits()), (threads, turns));
        }
        assert_eq!(at_once(2, FEW + 1).await, 1);
        assert!(at_once(16, FEW + 1).await <= 7);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn few_transactions_wait_for_nobody() {
        assert!(at_once(2, FEW).await > 1);
    }
}
