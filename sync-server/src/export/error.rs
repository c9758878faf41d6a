//! Why an export failed.

use std::{io, path::PathBuf};

use holdfast_core::{document::DecodeError, ids::Seq, transaction::TransactionError};

use crate::store::StoreError;

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store did.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something in the folder.
    #[error("{0} is not empty: name another folder, or `--force` to replace an earlier export in it")]
    NotEmpty(PathBuf),
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A transaction of the log cannot be read.
    #[error("the log is damaged at {}: {source}", .seq.0)]
    Damaged {
        /// Its place.
        seq: Seq,
        /// Why.
        source: TransactionError,
    },
    /// A transaction of the log lacks a change.
    #[error("the log is not whole: the transaction at {} lacks a change that it names", .seq.0)]
    Withheld {
        /// Its place.
        seq: Seq,
    },
    /// The log ends before its end.
    #[error("the log is damaged: nothing comes after {}, where it should reach to {}", .after.0, .end.0)]
    Gap {
        /// The last transaction found.
        after: Seq,
        /// Where the store says the log ends.
        end: Seq,
    },
    /// A file does not hold what was written there.
    #[error("{path} does not hold what was written: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DecodeError,
    },
}
