//! The store on SQLite, for async callers: each call runs on a thread for blocking work.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use holdfast_core::ids::Timestamp;
use holdfast_store::{Host, ServerStore, server::Checkpointer};

use super::{StoreError, random};

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

    /// Runs something that writes.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ServerStore) -> Result<T, holdfast_store::StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let checkpointer = Arc::clone(&self.checkpointer);
        on(self.writer.clone(), move |store| {
            let done = work(store);
            if store.is_log_long() {
                tokio::task::spawn_blocking(move || checkpoint(&checkpointer));
            }
            done
        })
        .await
    }

    /// Runs something that only reads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ServerStore) -> Result<T, holdfast_store::StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        on(self.reader.clone(), work).await
    }
}

async fn on<T: Send + 'static>(
    store: Arc<Mutex<ServerStore>>,
    work: impl FnOnce(&mut ServerStore) -> Result<T, holdfast_store::StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // A call that panicked has rolled its transaction back: the next one finds the store as it was.
    blocking(move || work(&mut store.lock().unwrap_or_else(PoisonError::into_inner))).await
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

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, holdfast_store::StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
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
