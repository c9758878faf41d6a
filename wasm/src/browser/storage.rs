//! The replica's SQLite file on OPFS.
//!
//! OPFS files can be written synchronously only through exclusive handles that are opened beforehand. So the pool keeps a
//! few files open under names of its own and gives them to SQLite as they are needed.

use holdfast_store::StoreError;
use rusqlite::{Connection, OpenFlags};
use sqlite_wasm_rs::WasmOsCallback;
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, install};

use super::thrown::words;
use crate::error::EngineError;

/// The SQLite file system, and its folder on OPFS (`worker/handles.ts` looks into it).
const POOL: &str = "holdfast";
const FILE: &str = "replica.db";
/// The database, its journal, and two to spare.
const FILES: u32 = 4;

pub async fn open() -> Result<Connection, EngineError> {
    let pool = OpfsSAHPoolCfgBuilder::new()
        .vfs_name(POOL)
        .directory(POOL)
        .initial_capacity(FILES)
        .build();
    install::<WasmOsCallback>(&pool, true)
        .await
        .map_err(|error| refused(&error))?;
    connect().map_err(|error| StoreError::Sqlite(error).into())
}

fn connect() -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(FILE, flags)?;
    // Nobody else can open the file. Said before the store chooses its journal: without shared memory, which the pool has
    // not, SQLite keeps a write-ahead log only for a single owner.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    Ok(connection)
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
