//! The replicas' SQLite files on OPFS, encrypted page by page.
//!
//! OPFS files can be written synchronously only through exclusive handles that are opened beforehand. So the pool keeps a
//! few files open under names of its own and gives them to SQLite as they are needed.
//!
//! ```text
//!  SQLite ──► multipleciphers-holdfast: encrypts database, write-ahead log and journal ──► holdfast: the pool ──► OPFS
//! ```

use holdfast_store::StoreError;
use rusqlite::{Connection, OpenFlags};
use sqlite_wasm_rs::WasmOsCallback;
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};

use super::thrown::words;
use crate::error::EngineError;

/// The SQLite file system, and its folder on OPFS (`worker/files.ts` looks into it).
const POOL: &str = "holdfast";
/// The file system over it that encrypts: `SQLite3` Multiple Ciphers makes it when it is first named so.
const CIPHERED: &str = "multipleciphers-holdfast";
/// A database's write-ahead log and journal; both are there once a hospital was copied or a store encrypted.
const BESIDE: [&str; 2] = ["-wal", "-journal"];

/// Opens a file of the pool, or makes it.
pub async fn open(file: &str) -> Result<Connection, EngineError> {
    let pool = pool().await?;
    let others = pool.list().iter().filter(|name| !belongs(name, file)).count();
    // One for the database, those beside it, and one to spare.
    let wanted = others + BESIDE.len() + 2;
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    pool.reserve_minimum_capacity(wanted).await.map_err(|e| refused(&e))?;
    connect(file).map_err(|error| StoreError::Sqlite(error).into())
}

/// The names of the files that hold something.
pub async fn files() -> Result<Vec<String>, EngineError> {
    Ok(pool().await?.list())
}

/// Removes a database that is not open, and what lies beside it.
pub async fn remove(file: &str) -> Result<(), EngineError> {
    let pool = pool().await?;
    for name in pool.list().iter().filter(|name| belongs(name, file)) {
        pool.delete_db(name).map_err(|e| refused(&e))?;
    }
    Ok(())
}

/// Lets go of the pool's files. Nothing may be open.
pub async fn release() -> Result<(), EngineError> {
    pool().await?.pause_vfs().map_err(|e| refused(&e))
}

/// The pool, with its files in hand.
async fn pool() -> Result<OpfsSAHPoolUtil, EngineError> {
    let pool = OpfsSAHPoolCfgBuilder::new()
        .vfs_name(POOL)
        .directory(POOL)
        .initial_capacity(0)
        .build();
    let pool = install::<WasmOsCallback>(&pool, false).await.map_err(|e| refused(&e))?;
    pool.unpause_vfs().await.map_err(|e| refused(&e))?;
    Ok(pool)
}

fn connect(file: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(file, flags, CIPHERED)?;
    // Nobody else can open the file. Said before the store chooses its journal: without shared memory, which the pool has
    // not, SQLite keeps a write-ahead log only for a single owner.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    Ok(connection)
}

/// True for a database and what SQLite keeps beside it. The pool names files as SQLite does, with a slash in front or not.
fn belongs(name: &str, file: &str) -> bool {
    let name = name.trim_start_matches('/');
    name == file || BESIDE.iter().any(|ending| name.strip_suffix(ending) == Some(file))
}

fn refused(error: &OpfsSAHError) -> EngineError {
    let cause = match error {
        OpfsSAHError::GetDirHandle(thrown)
        | OpfsSAHError::GetFileHandle(thrown)
        | OpfsSAHError::CreateSyncAccessHandle(thrown)
        | OpfsSAHError::IterHandle(thrown)
        | OpfsSAHError::Read(thrown)
        | OpfsSAHError::Write(thrown)
        | OpfsSAHError::Truncate(thrown) => format!("{error}: {}", words(thrown)),
        error => error.to_string(),
    };
    EngineError::new(
        "store",
        format!(
            "This browser gives Holdfast no place to keep data ({cause}). Use a current Chrome, Edge, Firefox or Safari, \
             not in a private window, and see that the device has free space."
        ),
    )
}
