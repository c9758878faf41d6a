//! Where the stream ends, told whenever it moves.

use std::time::Duration;

use holdfast_core::ids::Seq;

use super::{SqliteStore, Store, StoreError, postgres};

/// How often a server on SQLite looks whether the command line moved the stream: nothing else writes beside it.
const LOOK: Duration = Duration::from_secs(1);

/// Tells where the stream ends whenever it moves, whoever moved it.
pub enum Heads {
    /// Looks into the file.
    Sqlite(SqliteStore),
    /// Is notified.
    Postgres(postgres::Heads),
}

impl Store {
    /// Tells where the stream ends whenever it moves.
    pub fn heads(&self) -> Heads {
        match self {
            Self::Sqlite(store) => Heads::Sqlite(store.clone()),
            Self::Postgres(store) => Heads::Postgres(store.heads()),
        }
    }
}

impl Heads {
    /// The stream's end, when it may have moved beyond what is `known`. After an error it is safe to ask again.
    pub async fn next(&mut self, known: Seq) -> Result<Seq, StoreError> {
        match self {
            Self::Sqlite(store) => {
                tokio::time::sleep(LOOK).await;
                store.read(|store| store.head()).await
            }
            Self::Postgres(heads) => heads.next(known).await,
        }
    }
}
