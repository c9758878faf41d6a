//! The store on SQLite, for async callers: each call runs on a thread for blocking work.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use holdfast_core::ids::Timestamp;
use holdfast_store::{Host, ServerStore, server::Checkpointer};

use super::{Committed, StoreError, random, syncs::Syncs};

/// The file's name in the data folder.
const FILE: &str = "holdfast.sqlite";

/// A server's store on SQLite. Cheap to clone. Writers, readers and who tidies up after
/// writers have a connection each, so that nobody waits for another.
#[derive(Clone)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Arc<Mutex<ServerStore>>,
    reader: Arc<Mutex<ServerStore>>,
    checkpointer: Arc<Mutex<Checkpointer>>,
    /// Brings commits onto the disk, if they do not wait for that themselves.
    syncs: Arc<OnceLock<Arc<Syncs>>>,
}

impl SqliteStore {
    /// Opens the store in a folder; makes both if they are not there.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
            folder: folder.to_owned(),
            source,
        })?;
        let path = folder.join(FILE);
        let opened = path.clone();
        blocking(move || {
            let writer = ServerStore::open(&opened, host())?;
            let reader = ServerStore::open(&opened, host())?;
            let checkpointer = Checkpointer::open(&opened)?;
            writer.leave_checkpoints();
            Ok(Self {
                path: opened,
                writer: Arc::new(Mutex::new(writer)),
                reader: Arc::new(Mutex::new(reader)),
                checkpointer: Arc::new(Mutex::new(checkpointer)),
                syncs: Arc::default(),
            })
        })
        .await
    }

    /// True if a folder has a store in it.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).exists()
    }

    /// The file, for what looks at the tables themselves.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the next transaction may begin while a commit is being brought onto the disk.
    pub(super) async fn sync_apart(&self) -> Result<(), StoreError> {
        let log = self.write(|store| store.log_file()).await?;
        // Without a log each commit goes on waiting for the disk.
        let Some(log) = log else { return Ok(()) };
        let log = File::options().read(true).write(true).open(log);
        let log = log.map_err(|error| StoreError::Unsynced(error.to_string()))?;
        self.sync_with(move || log.sync_data()).await
    }

    /// The same, with what brings onto the disk all that was written before it is called.
    pub(crate) async fn sync_with(
        &self,
        sync: impl Fn() -> io::Result<()> + Send + Sync + 'static,
    ) -> Result<(), StoreError> {
        let (shared, syncs) = (Arc::clone(&self.syncs), Arc::new(Syncs::new(sync)));
        self.write(move |store| {
            if shared.set(Arc::clone(&syncs)).is_ok() {
                store.leave_syncs(move || syncs.begin())?;
            }
            Ok(())
        })
        .await
    }

    /// A new store whose syncs end when a result for them is sent.
    #[cfg(test)]
    pub(crate) async fn synced_by_hand(folder: &Path) -> (Self, std::sync::mpsc::Sender<io::Result<()>>) {
        let store = Self::open(folder).await.expect("a new store opens");
        let (results, awaited) = std::sync::mpsc::channel();
        let awaited = Mutex::new(awaited);
        let sync = move || {
            awaited
                .lock()
                .expect("nobody panics with it")
                .recv()
                .expect("a result is sent")
        };
        store.sync_with(sync).await.expect("it can be told how to sync");
        (store, results)
    }

    /// How many commits have begun that are synced apart.
    #[cfg(test)]
    pub(crate) fn commits(&self) -> u64 {
        self.syncs.get().map_or(0, |syncs| syncs.begun().0)
    }

    /// Runs something that writes. Returns when it is durable.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ServerStore) -> Result<T, holdfast_store::StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.commit(work).await?.durable().await
    }

    /// Runs something that writes. Returns when others may write.
    pub(super) async fn commit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ServerStore) -> Result<T, holdfast_store::StoreError> + Send + 'static,
    ) -> Result<Committed<T>, StoreError> {
        let (writer, checkpointer) = (Arc::clone(&self.writer), Arc::clone(&self.checkpointer));
        let syncs = Arc::clone(&self.syncs);
        blocking(move || {
            let mut store = lock(&writer);
            let syncs = syncs.get();
            let committing = syncs.map(|syncs| syncs.commit()).transpose()?;
            let done = work(&mut store);
            if store.is_log_long() {
                tokio::task::spawn_blocking(move || checkpoint(&checkpointer));
            }
            drop(committing);
            let commits = syncs.map(|syncs| (Arc::clone(syncs), syncs.begun()));
            drop(store);
            match (done, commits) {
                (Ok(done), None) => Ok(Committed::durably(done)),
                (Ok(done), Some((syncs, commits))) => Ok(Committed::when(done, syncs, commits)),
                (Err(error), None) => Err(error.into()),
                (Err(error), Some((syncs, commits))) => {
                    syncs.wait(commits)?;
                    Err(error.into())
                }
            }
        })
        .await
    }

    /// Runs something that only reads. Returns when what it saw is durable.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ServerStore) -> Result<T, holdfast_store::StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reader, syncs) = (Arc::clone(&self.reader), Arc::clone(&self.syncs));
        blocking(move || {
            let read = work(&mut lock(&reader));
            if let Some(syncs) = syncs.get() {
                syncs.wait(syncs.begun())?;
            }
            Ok(read?)
        })
        .await
    }
}

/// A call that panicked has rolled its transaction back: the next one finds the store as it was.
fn lock(store: &Mutex<ServerStore>) -> MutexGuard<'_, ServerStore> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unless one is under way.
fn checkpoint(checkpointer: &Mutex<Checkpointer>) {
    let Ok(checkpointer) = checkpointer.try_lock() else {
        return;
    };
    if let Err(error) = checkpointer.run() {
        tracing::warn!(%error, "commits stay in SQLite's write-ahead log for now");
    }
}

/// Runs something on a thread for blocking work.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(ended) => Err(StoreError::Thread(ended.to_string())),
    }
}

/// The operating system's clock and randomness.
fn host() -> Host {
    Host {
        now: Box::new(now),
        random: Box::new(random::fill),
    }
}

/// The present time.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_micros() as i64)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use tokio::task::JoinHandle;

    use super::*;

    const SOON: Duration = Duration::from_millis(100);

    async fn store() -> (tempfile::TempDir, SqliteStore, mpsc::Sender<io::Result<()>>) {
        let folder = tempfile::tempdir().unwrap();
        let (store, results) = SqliteStore::synced_by_hand(folder.path()).await;
        (folder, store, results)
    }

    fn commit(store: &mut ServerStore) -> Result<usize, holdfast_store::StoreError> {
        Ok(store.accept(&[], Timestamp(0))?.len())
    }

    async fn is_done<T>(task: &JoinHandle<T>) -> bool {
        tokio::time::sleep(SOON).await;
        task.is_finished()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_next_transaction_begins_before_the_one_before_it_is_on_the_disk() {
        let (_folder, store, results) = store().await;
        let first = store.commit(commit).await.unwrap();
        let second = store.commit(commit).await.unwrap();
        let told = tokio::spawn(async { first.durable().await.and(second.durable().await) });
        assert!(!is_done(&told).await);
        results.send(Ok(())).unwrap();
        told.await.unwrap().expect("one sync is enough for both");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_reads_what_is_not_on_the_disk() {
        let (_folder, store, results) = store().await;
        store
            .read(|store| store.head())
            .await
            .expect("nothing is to be synced yet");
        let committed = store.commit(commit).await.unwrap();
        let reader = store.clone();
        let read = tokio::spawn(async move { reader.read(|store| store.head()).await });
        let writer = store.clone();
        let written = tokio::spawn(async move { writer.write(commit).await });
        let failing = store.clone();
        let refused = tokio::spawn(async move { failing.write(ServerStore::diverged).await });
        assert!(!is_done(&read).await && !written.is_finished() && !refused.is_finished());
        for _ in 0..3 {
            results.send(Ok(())).unwrap();
        }
        read.await.unwrap().unwrap();
        written.await.unwrap().unwrap();
        refused.await.unwrap().expect_err("it is no hub");
        committed.durable().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn after_a_sync_that_failed_the_store_does_nothing_any_more() {
        let (_folder, store, results) = store().await;
        results.send(Err(io::Error::other("the disk is gone"))).unwrap();
        let failed = store.write(commit).await.unwrap_err();
        assert!(failed.is_unreachable(), "devices keep what they have: {failed}");
        assert!(failed.to_string().contains("restart"), "{failed}");
        results.send(Ok(())).unwrap();
        assert!(matches!(store.commit(commit).await, Err(StoreError::Unsynced(_))));
        assert!(matches!(
            store.read(|store| store.head()).await,
            Err(StoreError::Unsynced(_))
        ));
    }

    #[tokio::test]
    async fn the_log_itself_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).await.unwrap();
        store.sync_apart().await.unwrap();
        assert!(store.syncs.get().is_some());
        store.write(commit).await.unwrap();
        store.sync_apart().await.expect("once is enough");
        assert_eq!(store.read(|store| store.head()).await.unwrap().0, 0);
    }
}
