//! Why the replica did not do what the page asked.

use holdfast_core::{command::CommandError, ingest::Rejection};

use crate::StoreError;

/// Why the replica did not do what the page asked, in words for people.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The command cannot be carried out.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The command was planned, but the engine refuses it, as the server would.
    #[error("{0}")]
    Rejected(Rejection),
    /// Nobody is signed in.
    #[error("Nobody is signed in on this device. Sign in first.")]
    SignedOut,
    /// The first copy of the hospital is not complete.
    #[error("The hospital is still being copied to this device. Wait until that is done.")]
    FirstSync,
    /// The sign-in is to another hospital than the replica's.
    #[error("This device holds work for another hospital. Send or discard it first, then sign out.")]
    OtherHospital,
    /// Work waits that leaving would lose.
    #[error(
        "What was done here has not all reached the server (transactions waiting: {0}). Send it or discard it first."
    )]
    WorkWaits(u64),
    /// Not a query that the page may ask.
    #[error("{0}")]
    Query(String),
    /// No refused transaction has this id.
    #[error("There is no refused transaction with this id. Look at the list again.")]
    NoSuchTransaction,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ReplicaError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl ReplicaError {
    /// Machine-readable, as the page's `EngineError` has it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Command(error) => error.code(),
            Self::Rejected(rejection) => rejection.code,
            Self::SignedOut => "signed_out",
            Self::FirstSync => "first_sync",
            Self::OtherHospital => "other_hospital",
            Self::WorkWaits(_) => "work_waits",
            Self::Query(_) => "invalid",
            Self::NoSuchTransaction => "not_found",
            Self::Store(_) => "store",
        }
    }

    /// The field or column that it is about.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Command(error) => error.field(),
            Self::Rejected(rejection) => rejection.column.as_deref(),
            _ => None,
        }
    }
}
