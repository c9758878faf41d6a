//! Why the store failed.

/// Why the store failed. None of these is a person's mistake: those have errors of their own.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A newer version of Holdfast wrote it.
    #[error("the store has format {found}, this version knows up to {known}: install the newer version again")]
    NewerFormat {
        /// What the store says.
        found: u32,
        /// What this build writes.
        known: u32,
    },
    /// It belongs to the other side: a device's store opened as a server's, or the reverse.
    #[error("this is a {found}'s store, not a {expected}'s")]
    WrongSide {
        /// What the store says.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// A key was given to a SQLite without a cipher.
    #[error("this SQLite cannot encrypt: open the store without a key")]
    EncryptionUnsupported,
    /// A hub takes nothing into the stream by itself and writes nothing in the server's name.
    #[error("this is the store of a ward's hub: do this at the hospital's server")]
    IsHub,
    /// Only a hub relays and follows.
    #[error("this is not the store of a ward's hub")]
    NotHub,
    /// A store with a stream of its own never becomes a hub's, nor a hub's that of another hospital.
    #[error("this store belongs to a hospital already: begin a ward's hub with an empty data folder")]
    NotEmpty,
    /// The hub copies the hospital, and cannot take anything meanwhile.
    #[error("the hub is copying the hospital: try again when it is done")]
    Copying,
    /// The hospital's server said something that cannot be. Nothing was taken in.
    #[error("the hospital's server sent what cannot be: {0}")]
    Upstream(String),
    /// What is stored cannot be read.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// What was to be stored was refused, though it was judged before.
    #[error("BUG: the store refused what the stream accepted: {0}")]
    Refused(String),
}

impl StoreError {
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }
}
