//! Nobody is told of a commit before it is on the disk; but the next transaction does not wait for that.
//!
//! ```text
//! writer   ── commit 1 ── commit 2 ── commit 3 ──
//! who has 1       └── sync ──► told
//! who has 2                    └── sync ─► told
//! who read                    3 ┘ └───────── sync ─► told
//! ```
//!
//! *Architecture invariants*
//! - A sync covers the commits that had ended when it began.
//! - Who reads may have seen every commit that had begun when he had read.
//! - After a sync that failed nothing is told any more: the operating system may have dropped what it could not write, so that
//!   another sync that succeeds would prove nothing.

use std::{
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::StoreError;

/// How many commits there were.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) struct Commits(pub u64);

/// Brings commits onto the disk, several at once.
pub(super) struct Syncs {
    sync: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    begun: Commits,
    ended: Commits,
    synced: Commits,
    is_syncing: bool,
    failure: Option<String>,
}

/// While this is held, commits begin and end; when it is dropped, all have ended.
pub(super) struct Committing<'s>(&'s Syncs);

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.ended = state.begun;
        drop(state);
        self.0.changed.notify_all();
    }
}

impl Syncs {
    /// `sync` brings onto the disk all that was written before it was called.
    pub fn new(sync: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self {
            sync: Box::new(sync),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever panicked, the counts are whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction after another commits until the guard is dropped. An error if a sync has failed.
    pub fn commit(&self) -> Result<Committing<'_>, StoreError> {
        self.check()?;
        Ok(Committing(self))
    }

    /// A commit begins: from now on others may see it.
    pub fn begin(&self) {
        self.state().begun.0 += 1;
    }

    /// All commits that have begun: somebody who has just read has seen no others.
    pub fn begun(&self) -> Commits {
        self.state().begun
    }

    /// An error if a sync has failed.
    pub fn check(&self) -> Result<(), StoreError> {
        self.state().check()
    }

    /// Waits until so many commits are on the disk. Blocks.
    pub fn wait(&self, commits: Commits) -> Result<(), StoreError> {
        let mut state = self.state();
        loop {
            state.check()?;
            if state.synced >= commits {
                return Ok(());
            }
            if state.is_syncing || state.ended < commits {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let covered = state.ended;
            state.is_syncing = true;
            drop(state);
            let synced = (self.sync)();
            state = self.state();
            state.is_syncing = false;
            match synced {
                Ok(()) => state.synced = covered,
                Err(error) => {
                    tracing::error!(%error, "what was committed may not be on the disk: nothing is answered any more");
                    state.failure = Some(error.to_string());
                }
            }
            self.changed.notify_all();
        }
    }
}

impl State {
    fn check(&self) -> Result<(), StoreError> {
        match &self.failure {
            None => Ok(()),
            Some(error) => Err(StoreError::Unsynced(error.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
            mpsc,
        },
        thread,
        time::Duration,
    };

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    /// A sync for each result that is sent, and the number of those that have begun.
    fn by_hand() -> (Arc<Syncs>, mpsc::Sender<io::Result<()>>, Arc<AtomicU32>) {
        let (results, awaited) = mpsc::channel();
        let (awaited, begun) = (Mutex::new(awaited), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&begun);
        let sync = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            awaited.lock().unwrap().recv().unwrap()
        };
        (Arc::new(Syncs::new(sync)), results, begun)
    }

    fn commit(syncs: &Syncs) -> Commits {
        let _committing = syncs.commit().unwrap();
        syncs.begin();
        syncs.begun()
    }

    /// Waits on a thread of its own.
    fn wait(syncs: &Arc<Syncs>, commits: Commits) -> mpsc::Receiver<Result<(), StoreError>> {
        let (told, telling) = mpsc::channel();
        let syncs = Arc::clone(syncs);
        thread::spawn(move || told.send(syncs.wait(commits)));
        telling
    }

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn nobody_is_told_before_the_sync_has_returned() {
        let (syncs, results, _) = by_hand();
        let told = wait(&syncs, commit(&syncs));
        assert!(told.recv_timeout(SOON).is_err());
        results.send(Ok(())).unwrap();
        told.recv().unwrap().unwrap();
        syncs.wait(syncs.begun()).expect("there is nothing new to be synced");
    }

    #[test]
    fn a_sync_does_not_cover_what_is_committed_while_it_runs() {
        let (syncs, results, begun) = by_hand();
        let first = wait(&syncs, commit(&syncs));
        until(|| begun.load(Ordering::SeqCst) == 1);
        let second = wait(&syncs, commit(&syncs));
        results.send(Ok(())).unwrap();
        first.recv().unwrap().unwrap();
        assert!(second.recv_timeout(SOON).is_err());
        results.send(Ok(())).unwrap();
        second.recv().unwrap().unwrap();
    }

    #[test]
    fn a_commit_that_was_seen_before_it_ended_is_waited_for() {
        let (syncs, results, begun) = by_hand();
        let committing = syncs.commit().unwrap();
        syncs.begin();
        let reader = wait(&syncs, syncs.begun());
        results.send(Ok(())).unwrap();
        assert!(reader.recv_timeout(SOON).is_err());
        assert_eq!(begun.load(Ordering::SeqCst), 0, "a sync would not cover it");
        drop(committing);
        reader.recv().unwrap().unwrap();
    }

    #[test]
    fn those_who_wait_share_a_sync() {
        let (syncs, results, begun) = by_hand();
        let first = wait(&syncs, commit(&syncs));
        until(|| begun.load(Ordering::SeqCst) == 1);
        let others: Vec<_> = (0..10).map(|_| wait(&syncs, commit(&syncs))).collect();
        for _ in 0..2 {
            results.send(Ok(())).unwrap();
        }
        for told in others.into_iter().chain([first]) {
            told.recv().unwrap().unwrap();
        }
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn after_a_sync_that_failed_nobody_is_told_anything() {
        let (syncs, results, begun) = by_hand();
        let before = commit(&syncs);
        results.send(Ok(())).unwrap();
        syncs.wait(before).unwrap();
        let failing = wait(&syncs, commit(&syncs));
        until(|| begun.load(Ordering::SeqCst) == 2);
        let beside = wait(&syncs, commit(&syncs));
        results.send(Err(io::Error::other("the disk is gone"))).unwrap();
        for told in [failing, beside] {
            let error = told.recv().unwrap().unwrap_err().to_string();
            assert!(error.contains("the disk is gone"), "{error}");
        }
        results.send(Ok(())).unwrap();
        assert!(syncs.wait(before).is_err());
        assert!(syncs.commit().is_err());
        assert_eq!(begun.load(Ordering::SeqCst), 2, "none is tried again");
    }
}
