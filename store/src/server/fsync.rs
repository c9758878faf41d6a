//! A commit is durable when the write-ahead log is on the disk. As a rule it waits for that itself. Where many follow each other
//! somebody else sees to it, so that the next transaction need not wait.

use std::path::PathBuf;

use super::ServerStore;
use crate::StoreError;

impl ServerStore {
    /// The file of the write-ahead log; `None` if the store does without one.
    pub fn log_file(&self) -> Result<Option<PathBuf>, StoreError> {
        let journal: String = self
            .connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let path = self
            .connection
            .path()
            .filter(|path| !path.is_empty() && journal == "wal");
        let log = path.map(|path| PathBuf::from(format!("{path}-wal")));
        Ok(log.filter(|log| log.exists()))
    }

    /// From now on a commit is durable only when the log's file has been synced after it: whoever is told of it, or of what it
    /// changed, must wait for that. `committing` is called before anybody can see a commit. Only for a store with a log.
    pub fn leave_syncs(&self, mut committing: impl FnMut() + Send + 'static) -> Result<(), StoreError> {
        let hook = move || {
            committing();
            false
        };
        self.connection.commit_hook(Some(hook))?;
        // The log is still synced before pages of it go into the file, and before it begins anew: a power cut takes the last
        // commits at most, and never a part of one.
        Ok(self.connection.pragma_update(None, "synchronous", "NORMAL")?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use holdfast_core::ids::Timestamp;

    use super::*;
    use crate::{Host, meta};

    fn host() -> Host {
        Host {
            now: Box::new(|| Timestamp(0)),
            random: Box::new(|bytes| bytes.fill(7)),
        }
    }

    #[test]
    fn only_a_store_with_a_log_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = ServerStore::open(&path, host()).unwrap();
        let log = store.log_file().unwrap().expect("a log");
        assert_eq!(log.file_name(), Some("store-wal".as_ref()));
        assert_eq!(ServerStore::in_memory(host()).unwrap().log_file().unwrap(), None);
        store.connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
        assert_eq!(store.log_file().unwrap(), None);
    }

    /// What SQLite's setting `synchronous` is.
    fn waits(store: &ServerStore) -> i64 {
        let setting = store
            .connection
            .pragma_query_value(None, "synchronous", |row| row.get(0));
        setting.unwrap()
    }

    #[test]
    fn commits_wait_for_the_disk_until_somebody_else_sees_to_that() {
        let (full, normal) = (2, 1);
        let folder = tempfile::tempdir().unwrap();
        let open = || ServerStore::open(folder.path().join("store"), host()).unwrap();
        let (store, commits) = (open(), Arc::new(AtomicU32::new(0)));
        assert_eq!(waits(&store), full);
        let counted = Arc::clone(&commits);
        let committing = move || {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        store.leave_syncs(committing).unwrap();
        assert_eq!(waits(&store), normal);
        meta::set(&store.connection, "something", 1).unwrap();
        assert_eq!(commits.load(Ordering::SeqCst), 1);
        assert_eq!(waits(&open()), full, "others do as ever");
    }
}
