//! Why a store failed.

use rusqlite::ErrorCode;

/// Why a store failed. None of these is a person's mistake; the HTTP shell answers them with 503 or 500.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The SQLite store did.
    #[error(transparent)]
    Sqlite(holdfast_store::StoreError),
    /// PostgreSQL did, or it cannot be reached.
    #[error("PostgreSQL: {0}")]
    Postgres(sqlx::Error),
    /// There is no room for what is to be written. What is there can be read.
    #[error("the database's disk is full: make room on it, then the server goes on by itself ({0})")]
    DiskFull(String),
    /// What was committed could not be brought onto the disk, and may be lost.
    #[error(
        "SQLite's write-ahead log could not be brought onto the disk ({0}). The server answers nothing more: look at the disk, then \
         restart the server"
    )]
    Unsynced(String),
    /// A newer version of Holdfast wrote the database.
    #[error("the database has format {found}, this version knows up to {newest}: install the newer version again")]
    NewerFormat {
        /// What the database says.
        found: i32,
        /// What this build writes.
        newest: i32,
    },
    /// The database holds a hospital's rows that Holdfast did not write.
    #[error(
        "the table {0} has rows that Holdfast did not write: give `--database` an empty database and take this one over \
         with `sync-server import --from`"
    )]
    ForeignRows(&'static str),
    /// The SQLite file is not what was written.
    #[error(
        "the data folder's file is damaged ({0}). Put a hospital's server back to its backup. For a ward's hub, move the \
         folder away and start it on an empty one: its devices still have what the hospital has not, and send it again. \
         See \"A damaged file\" in docs/operations.md"
    )]
    Damaged(String),
    /// What is stored cannot be read.
    #[error("the database is damaged: {0}")]
    Corrupt(&'static str),
    /// The store's folder cannot be made.
    #[error("cannot make the folder {folder}: {source}")]
    Folder {
        /// Which.
        folder: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A thread of the store ended.
    #[error("BUG: the store's thread ended: {0}")]
    Thread(String),
}

impl From<holdfast_store::StoreError> for StoreError {
    fn from(error: holdfast_store::StoreError) -> Self {
        if sqlite_code(&error) == Some(ErrorCode::DiskFull) {
            return Self::DiskFull(error.to_string());
        }
        let code = sqlite_code(&error);
        let is_broken = matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
        if is_broken || matches!(error, holdfast_store::StoreError::Corrupt(_)) {
            return Self::Damaged(error.to_string());
        }
        Self::Sqlite(error)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // 53100 disk_full
        if error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .as_deref()
            == Some("53100")
        {
            return Self::DiskFull(format!("PostgreSQL: {error}"));
        }
        Self::Postgres(error)
    }
}

fn sqlite_code(error: &holdfast_store::StoreError) -> Option<ErrorCode> {
    match error {
        holdfast_store::StoreError::Sqlite(error) => error.sqlite_error_code(),
        _ => None,
    }
}

impl StoreError {
    /// True if the database cannot be reached or written just now: trying again later may well help.
    pub fn is_unreachable(&self) -> bool {
        use sqlx::Error as Sql;
        match self {
            // Something else locks the file, or the file system fails, be it for want of room.
            Self::Sqlite(error) => matches!(
                sqlite_code(error),
                Some(ErrorCode::DatabaseBusy | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
            ),
            // What is said on a connection that breaks off need not make sense.
            Self::DiskFull(_)
            | Self::Unsynced(_)
            | Self::Postgres(
                Sql::Io(_)
                | Sql::PoolTimedOut
                | Sql::PoolClosed
                | Sql::Tls(_)
                | Sql::WorkerCrashed
                | Sql::Protocol(_)
                | Sql::BeginFailed,
            ) => true,
            // The classes of the connection (08), of running out of something (53), of going down or coming up (57) and of the
            // system below (58).
            Self::Postgres(Sql::Database(error)) => {
                let code = error.code();
                code.is_some_and(|code| ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StoreError;

    #[test]
    fn a_connection_that_breaks_off_in_the_middle_of_a_word_is_no_fault_of_the_request() {
        let cut = sqlx::Error::Protocol("expecting DataRow but received NoticeResponse".to_owned());
        for error in [cut, sqlx::Error::BeginFailed] {
            assert!(StoreError::from(error).is_unreachable());
        }
        assert!(!StoreError::from(sqlx::Error::RowNotFound).is_unreachable());
    }
}
