//! A process that dies at a chosen write. SQLite keeps its promise that a commit is whole or not at all; so what is on disk
//! after a crash is what was committed before it, and a crash is: from this moment on nothing is committed any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use rusqlite::Connection;

use crate::StoreError;

/// How many of SQLite's instructions pass between two moments at which [`CrashPoint::Inside`] may strike.
const INSTRUCTIONS: i32 = 100;

/// When a process dies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CrashPoint {
    /// Right before this commit is durable, counted from 1.
    BeforeCommit(u32),
    /// Right after it.
    AfterCommit(u32),
    /// After this many hundreds of SQLite's instructions, most often inside a transaction.
    Inside(u32),
}

/// A crash that is going to happen, or has.
#[derive(Debug, Default)]
pub struct Crash {
    dead: Arc<AtomicBool>,
    /// Somebody only looks on.
    spared: Arc<AtomicBool>,
}

impl Crash {
    /// Lets the process that uses this connection die at a point. Replaces one that was armed before.
    pub(crate) fn arm(connection: &Connection, at: CrashPoint) -> Result<Self, StoreError> {
        let crash = Self::default();
        let dead = crash.dead.clone();
        let commits = AtomicU32::new(0);
        connection.commit_hook(Some(move || {
            let this = commits.fetch_add(1, Ordering::Relaxed) + 1;
            match at {
                CrashPoint::BeforeCommit(n) if n == this => dead.store(true, Ordering::Relaxed),
                // It is the last that gets through.
                CrashPoint::AfterCommit(n) if n == this => return dead.swap(true, Ordering::Relaxed),
                _ => {}
            }
            dead.load(Ordering::Relaxed)
        }))?;
        let (dead, spared) = (crash.dead.clone(), crash.spared.clone());
        let moments = AtomicU32::new(0);
        let struck = move || {
            if spared.load(Ordering::Relaxed) {
                return false;
            }
            let this = moments.fetch_add(1, Ordering::Relaxed) + 1;
            if matches!(at, CrashPoint::Inside(n) if n == this) {
                dead.store(true, Ordering::Relaxed);
            }
            dead.load(Ordering::Relaxed)
        };
        connection.progress_handler(INSTRUCTIONS, Some(struck))?;
        Ok(crash)
    }

    /// It cannot strike while somebody only looks at the store.
    pub fn spare(&self, spared: bool) {
        self.spared.store(spared, Ordering::Relaxed);
    }

    /// True once it has struck: what the process says since is not to be heard.
    pub fn has_struck(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// The machine starts again: the connection works as usual.
    pub(crate) fn clear(connection: &Connection) -> Result<(), StoreError> {
        connection.commit_hook(None::<fn() -> bool>)?;
        connection.progress_handler(0, None::<fn() -> bool>)?;
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}
