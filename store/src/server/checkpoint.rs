//! Commits go to the end of the write-ahead log, and from there into the file: by a connection of its own, so that the next
//! transaction need not wait for it.
//!
//! ```text
//!  writer ─► commit ─► log ─ long ──────► checkpointer ─► file
//!                       └─── very long ─► the writer itself ─► file; the log begins anew
//! ```

use std::{cell::Cell, path::Path, time::Duration};

use rusqlite::{Connection, hooks::Wal};

use super::ServerStore;
use crate::StoreError;

/// Pages in the log from which on it is worth moving them: as many as SQLite waits for when it does so itself.
const LONG: i32 = 1_000;

/// Pages from which on the writer moves them. While it goes on writing, the checkpointer cannot empty the log.
const VERY_LONG: i32 = 4_000;

thread_local! {
    /// How many pages the log had after this thread's last commit.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

impl ServerStore {
    /// From now on somebody else moves commits into the file: whoever asks [`is_log_long`](Self::is_log_long) after each.
    pub fn leave_checkpoints(&self) {
        self.connection.wal_hook(Some(committed));
    }

    /// Whether a commit that this thread has just made left a long log.
    pub fn is_log_long(&self) -> bool {
        PAGES.replace(0) >= LONG
    }
}

#[expect(clippy::unnecessary_wraps, reason = "SQLite takes an error for a commit that failed")]
fn committed(log: &Wal, pages: i32) -> rusqlite::Result<()> {
    PAGES.set(pages);
    if pages >= VERY_LONG {
        // The commit is durable already, and what cannot be moved now is moved later.
        log.checkpoint().ok();
    }
    Ok(())
}

/// Moves commits from the log into the file.
pub struct Checkpointer(Connection);

impl Checkpointer {
    /// For the store in this file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(1))?;
        Ok(Self(connection))
    }

    /// Moves what nobody reads any more from the log. Neither waits for anybody nor keeps anybody waiting.
    pub fn run(&self) -> Result<(), StoreError> {
        let statement = "PRAGMA wal_checkpoint(PASSIVE)";
        Ok(self.0.query_row(statement, [], |_| Ok(()))?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use holdfast_core::ids::Timestamp;

    use super::*;
    use crate::{Host, meta};

    const PAGE: usize = 4_096;

    fn host() -> Host {
        Host {
            now: Box::new(|| Timestamp(0)),
            random: Box::new(|bytes| bytes.fill(7)),
        }
    }

    fn write(store: &ServerStore, name: &str, pages: usize) {
        meta::set(&store.connection, name, vec![7_u8; pages * PAGE]).unwrap();
    }

    #[test]
    fn a_long_log_is_moved_into_the_file_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = ServerStore::open(&path, host()).unwrap();
        store.leave_checkpoints();
        write(&store, "short", 1);
        assert!(!store.is_log_long());
        let before = fs::metadata(&path).unwrap().len();
        write(&store, "long", LONG as usize);
        assert!(store.is_log_long());
        assert!(!store.is_log_long(), "it is told once");
        assert_eq!(fs::metadata(&path).unwrap().len(), before, "nobody has moved it");

        Checkpointer::open(&path).unwrap().run().unwrap();
        assert!(fs::metadata(&path).unwrap().len() > before + u64::from(LONG.unsigned_abs()) * PAGE as u64);
        write(&store, "short", 1);
        assert!(!store.is_log_long());
    }

    #[test]
    fn a_log_that_nobody_moves_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = ServerStore::open(&path, host()).unwrap();
        store.leave_checkpoints();
        for _ in 0..20 {
            write(&store, "much", VERY_LONG as usize / 4);
        }
        let log = fs::metadata(folder.path().join("store-wal")).unwrap().len();
        assert!(log < 3 * VERY_LONG as u64 / 2 * PAGE as u64, "{log} bytes");
    }
}
