//! Where a server keeps its stream and tables: SQLite in a folder, or PostgreSQL. Both behave alike; one suite tests both.

mod committed;
mod error;
mod heads;
mod hub;
mod hubs;
pub mod postgres;
pub mod random;
mod sqlite;
mod syncs;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use ed25519_dalek::SigningKey;
use holdfast_core::{
    document::DocumentId,
    ids::{DeviceId, Seq, Timestamp, UserId},
    ingest::{Needs, WorkingSet},
    policy::Role,
    protocol::{PushOutcome, SnapshotResponse},
    transaction::Mark,
};
use uuid::Uuid;

pub use committed::Committed;
pub use error::StoreError;
pub use heads::Heads;
pub use holdfast_store::server::{
    Account, Device, KnownHub, Objection, Pulled, Quarantined, Session, SignedIn, Submission, TokenHash, WaitingCount,
};
pub use hub::{Followed, Hub, HubStore, RelayCount, RelayPlace};
pub use postgres::PostgresStore;
pub use sqlite::{SqliteStore, now};

/// Where the store is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// A file in this folder.
    Folder(PathBuf),
    /// A PostgreSQL database.
    Database(String),
}

/// A server's store. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    /// On SQLite.
    Sqlite(SqliteStore),
    /// On PostgreSQL.
    Postgres(PostgresStore),
}

/// Runs the same call on either store.
macro_rules! on {
    ($self:ident, $way:ident, $store:ident => $call:expr) => {
        match $self {
            Self::Sqlite(sqlite) => sqlite.$way(move |$store| $call).await,
            Self::Postgres($store) => $call.await,
        }
    };
}

/// The right to append to the stream next: see [`Store::turn`]. Dropping it gives it back.
#[derive(Debug)]
pub struct Turn(Option<postgres::Turn>);

impl Store {
    /// Opens a store, makes it if there is none, and brings it up to date.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        Ok(match location {
            Location::Folder(folder) => Self::Sqlite(SqliteStore::open(folder).await?),
            Location::Database(url) => Self::Postgres(PostgresStore::open(url).await?),
        })
    }

    /// From now on others may write while what was committed is being brought onto the disk. It is still told to nobody before it
    /// is there. For a server; whoever writes now and then gains nothing by it.
    pub async fn sync_apart(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.sync_apart().await,
            // PostgreSQL brings a commit onto the disk itself.
            Self::Postgres(_) => Ok(()),
        }
    }

    /// True if the database answers and its tables are there.
    pub async fn is_ready(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(|store| store.head()).await.map(|_| true),
            Self::Postgres(store) => store.is_ready().await,
        }
    }

    /// Names the hospital's stream; made with the store.
    pub async fn hospital_id(&self) -> Result<Uuid, StoreError> {
        on!(self, read, store => store.hospital_id())
    }

    /// The server's own key: it signs what the server itself writes. Made with the store.
    pub async fn server_key(&self) -> Result<SigningKey, StoreError> {
        on!(self, read, store => store.server_key())
    }

    /// Waits until it is this server's turn to append to the stream. What is gathered after that, and before
    /// [`accept_in`](Self::accept_in), goes in together.
    pub async fn turn(&self) -> Result<Turn, StoreError> {
        Ok(match self {
            // There is no other server.
            Self::Sqlite(_) => Turn(None),
            Self::Postgres(store) => Turn(Some(store.turn().await?)),
        })
    }

    /// Takes transactions in when it is this server's turn: see [`accept_in`](Self::accept_in).
    pub async fn accept(&self, submissions: Vec<Submission>, now: Timestamp) -> Result<Vec<PushOutcome>, StoreError> {
        let committed = self.accept_in(self.turn().await?, submissions.into(), now).await?;
        committed.durable().await
    }

    /// Takes transactions in, in order: an outcome for each; one that is known already gets the outcome that it had. What
    /// waited for one of them follows it at once. After an error it is safe to give the same ones again. Others may be taken in
    /// while these are not durable yet.
    pub async fn accept_in(
        &self,
        Turn(turn): Turn,
        submissions: Arc<[Submission]>,
        now: Timestamp,
    ) -> Result<Committed<Vec<PushOutcome>>, StoreError> {
        let outcomes = match (self, turn) {
            (Self::Sqlite(sqlite), _) => return sqlite.commit(move |store| store.accept(&submissions, now)).await,
            (Self::Postgres(store), Some(turn)) => store.accept(turn, &submissions, now).await?,
            (Self::Postgres(store), None) => store.accept(store.turn().await?, &submissions, now).await?,
        };
        Ok(Committed::durably(outcomes))
    }

    /// What comes after a place in the stream: at most `max_entries`, and no more after `max_bytes` are full.
    pub async fn pull(&self, after: Seq, max_entries: usize, max_bytes: usize) -> Result<Pulled, StoreError> {
        on!(self, read, store => store.pull(after, max_entries, max_bytes))
    }

    /// The mark of the entry at a place; `None` if there is none.
    pub async fn mark(&self, place: Seq) -> Result<Option<Mark>, StoreError> {
        on!(self, read, store => store.mark(place))
    }

    /// The end of the stream; 0 while it is empty.
    pub async fn head(&self) -> Result<Seq, StoreError> {
        on!(self, read, store => store.head())
    }

    /// A page of at most `limit` documents that the role may see, after those of the page that `after` came with. `None`
    /// if `after` isn't a token of this store.
    pub async fn snapshot(
        &self,
        after: Option<String>,
        limit: usize,
        role: Role,
    ) -> Result<Option<SnapshotResponse>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let page = move |store: &mut holdfast_store::ServerStore| store.snapshot(after.as_deref(), limit, role);
                sqlite.read(page).await
            }
            Self::Postgres(store) => store.snapshot(after.as_deref(), limit, role).await,
        }
    }

    /// Documents, presence, claims as they are now.
    pub async fn load(&self, needs: Needs) -> Result<WorkingSet, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |store| store.load(&needs)).await,
            Self::Postgres(store) => store.load(&needs).await,
        }
    }

    /// These documents as they are now, empty ones for those that are not there.
    pub async fn documents(&self, documents: BTreeSet<DocumentId>) -> Result<WorkingSet, StoreError> {
        self.load(Needs {
            documents,
            ..Needs::default()
        })
        .await
    }

    /// How many rows a table has. The table is one of the 33.
    pub async fn count(&self, table: &'static str) -> Result<u64, StoreError> {
        on!(self, read, store => store.count(table))
    }

    /// The latest refused transactions, newest first.
    pub async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        on!(self, read, store => store.quarantine(limit))
    }

    /// How many transactions wait for changes that have not come yet.
    pub async fn waiting(&self) -> Result<WaitingCount, StoreError> {
        on!(self, read, store => store.waiting())
    }

    /// The account with this name.
    pub async fn account_by_username(&self, username: &str) -> Result<Option<Account>, StoreError> {
        let username = username.to_owned();
        on!(self, read, store => store.account_by_username(&username))
    }

    /// A user's account.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        on!(self, read, store => store.account(user))
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        on!(self, read, store => store.accounts())
    }

    /// Gives a user a password hash (argon2id in PHC form). The user's row may come later.
    pub async fn set_password(&self, user: UserId, hash: &str) -> Result<(), StoreError> {
        let hash = hash.to_owned();
        on!(self, write, store => store.set_password(user, &hash))
    }

    /// Makes a device known, if it isn't, and remembers that the user signed in on it. Returns it as it stands; a revoked
    /// one stays revoked.
    pub async fn register_device(
        &self,
        public_key: [u8; 32],
        name: &str,
        user: UserId,
        now: Timestamp,
    ) -> Result<Device, StoreError> {
        let name = name.to_owned();
        on!(self, write, store => store.register_device(&public_key, &name, user, now))
    }

    /// A device that is known.
    pub async fn device(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        on!(self, read, store => store.device(device))
    }

    /// All devices with the names of who signed in on them, in the order in which they came.
    pub async fn devices(&self) -> Result<Vec<(Device, Vec<String>)>, StoreError> {
        on!(self, read, store => store.devices())
    }

    /// True if the user has ever signed in on the device: only then may it sign in the user's name.
    pub async fn has_signed_in(&self, device: DeviceId, user: UserId) -> Result<bool, StoreError> {
        on!(self, read, store => store.has_signed_in(device, user))
    }

    /// Takes nothing from the device any more and ends its sessions. False if it isn't known.
    pub async fn revoke_device(&self, device: DeviceId, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, write, store => store.revoke_device(device, now))
    }

    /// Begins a session.
    pub async fn open_session(&self, token: TokenHash, session: Session) -> Result<(), StoreError> {
        on!(self, write, store => store.open_session(&token, &session))
    }

    /// The session of a token with its account and device, unless it has expired.
    pub async fn signed_in(&self, token: TokenHash, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        on!(self, read, store => store.signed_in(&token, now))
    }

    /// True if the token was good once and its device has been revoked since.
    pub async fn was_locked_out(&self, token: TokenHash) -> Result<bool, StoreError> {
        on!(self, read, store => store.was_locked_out(&token))
    }

    /// Ends all sessions of a user. Returns how many there were.
    pub async fn close_sessions_of(&self, user: UserId) -> Result<u64, StoreError> {
        on!(self, write, store => store.close_sessions_of(user))
    }

    /// Ends a session.
    pub async fn close_session(&self, token: TokenHash) -> Result<(), StoreError> {
        on!(self, write, store => store.close_session(&token))
    }
}
