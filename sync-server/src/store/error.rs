//! Why a store failed.

/// Why a store failed. None of these is a person's mistake; the HTTP shell answers them with 503 or 500.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The SQLite store did.
    #[error(transparent)]
    Sqlite(#[from] holdfast_store::StoreError),
    /// PostgreSQL did, or it cannot be reached.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] sqlx::Error),
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

impl StoreError {
    /// True if the database cannot be reached just now: trying again later may well help.
    pub fn is_unreachable(&self) -> bool {
        use sqlx::Error as Sql;
        match self {
            Self::Postgres(Sql::Io(_) | Sql::PoolTimedOut | Sql::PoolClosed | Sql::Tls(_) | Sql::WorkerCrashed) => true,
            // Class 57: the database is going down or coming up; 53: it is out of something.
            Self::Postgres(Sql::Database(error)) => {
                error.code().is_some_and(|c| c.starts_with("57") || c.starts_with("53"))
            }
            _ => false,
        }
    }
}
