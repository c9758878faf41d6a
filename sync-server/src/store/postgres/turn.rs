//! Who appends next: one at a time, of all servers on the database.
//!
//! ```text
//!  server A   turn ══════ gather, write, commit ══╗
//!  server B        turn (waits for the lock) ·····╚═ gather, write, commit ═
//!                  more pushes come in meanwhile ─────┘
//! ```
//!
//! *Architecture invariant*: what a server appends is gathered once it has the lock. Gathered before, a batch would be as
//! small as when the waiting began, and two servers would commit half as much with each turn as one does.

use holdfast_core::{checksum::Checksums, ids::Seq};
use sqlx::{Postgres, Transaction};

use super::{PostgresStore, StoreError, checksums};

/// The lock on the stream's end, in a database transaction that has written nothing yet. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Turn {
    pub(super) transaction: Transaction<'static, Postgres>,
    pub(super) head: Seq,
    pub(super) checksums: Checksums,
}

impl PostgresStore {
    /// Waits for the lock on the stream's end.
    pub async fn turn(&self) -> Result<Turn, StoreError> {
        // Both before the lock, as nobody should wait for them, and in one message.
        let begin = "BEGIN; SET CONSTRAINTS ALL DEFERRED";
        let mut transaction = self.pool.begin_with(begin).await?;
        let head = sqlx::query("SELECT seq, checksums FROM sync.head FOR UPDATE")
            .fetch_one(&mut *transaction)
            .await?;
        let (head, checksums) = checksums::read(&head)?;
        Ok(Turn {
            transaction,
            head,
            checksums,
        })
    }
}
