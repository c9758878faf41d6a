//! The store of a ward's hub, for async callers.

use std::sync::Arc;

use holdfast_core::{
    ids::{HubId, Seq, Timestamp, TransactionId},
    policy::Role,
    protocol::{HubAccess, PullResponse, PushOutcome, Relayed},
    transaction::{Mark, Transaction},
};
pub use holdfast_store::hub::{Followed, Hub, RelayCount, RelayPlace};
use uuid::Uuid;

use super::{Committed, Pulled, Session, SqliteStore, Store, StoreError, Submission, TokenHash};

/// A store on SQLite that is, or becomes, a hub's. Cheap to clone.
#[derive(Clone)]
pub struct HubStore(SqliteStore);

impl Store {
    /// What a store knows of itself as a hub's; `None` if it is none.
    pub async fn hub(&self) -> Result<Option<Hub>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(|store| store.hub()).await,
            Self::Postgres(_) => Ok(None),
        }
    }

    /// The same store as a hub's; `None` if it is of a kind that hubs do not have.
    pub fn as_hub(&self) -> Option<HubStore> {
        match self {
            Self::Sqlite(sqlite) => Some(HubStore(sqlite.clone())),
            Self::Postgres(_) => None,
        }
    }
}

impl HubStore {
    /// Makes an empty store that of a hub of this hospital.
    pub async fn become_hub(&self, hospital: Uuid) -> Result<HubId, StoreError> {
        self.0.write(move |store| store.become_hub(hospital)).await
    }

    /// What the store knows of itself.
    pub async fn hub(&self) -> Result<Option<Hub>, StoreError> {
        self.0.read(|store| store.hub()).await
    }

    /// Which hospital it belongs to.
    pub async fn hospital_id(&self) -> Result<Uuid, StoreError> {
        self.0.read(|store| store.hospital_id()).await
    }

    /// The end of the stream here.
    pub async fn head(&self) -> Result<Seq, StoreError> {
        self.0.read(|store| store.head()).await
    }

    /// The mark of the entry at a place; `None` if there is none.
    pub async fn mark(&self, place: Seq) -> Result<Option<Mark>, StoreError> {
        self.0.read(move |store| store.mark(place)).await
    }

    /// Takes transactions of devices to pass them on. An outcome for each. Others may be taken while these are not durable yet.
    pub async fn relay(
        &self,
        submissions: Arc<[Submission]>,
        now: Timestamp,
    ) -> Result<Committed<Vec<PushOutcome>>, StoreError> {
        self.0.commit(move |store| store.relay(&submissions, now)).await
    }

    /// How much is relayed.
    pub async fn relay_count(&self) -> Result<RelayCount, StoreError> {
        self.0.read(|store| store.relay_count()).await
    }

    /// Takes in the page of the hospital's stream that was asked for `after` this place.
    pub async fn follow(&self, after: Seq, page: PullResponse, now: Timestamp) -> Result<Followed, StoreError> {
        self.0.write(move |store| store.follow(after, &page, now)).await
    }

    /// Drops the copy of the stream, to follow it anew from its beginning.
    pub async fn diverged(&self) -> Result<(), StoreError> {
        self.0.write(holdfast_store::ServerStore::diverged).await
    }

    /// What is to be pushed to the hospital's server now, in order.
    pub async fn to_push(
        &self,
        now: Timestamp,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<(TransactionId, Transaction)>, StoreError> {
        self.0.read(move |store| store.to_push(now, limit, max_bytes)).await
    }

    /// Takes in what the hospital's server answered to a push of these transactions. Returns what it withdrew.
    pub async fn take_outcomes(
        &self,
        pushed: Vec<TransactionId>,
        outcomes: Vec<PushOutcome>,
        now: Timestamp,
    ) -> Result<Vec<TransactionId>, StoreError> {
        self.0
            .write(move |store| store.take_outcomes(&pushed, &outcomes, now))
            .await
    }

    /// A page of the stream, and with the last one what is relayed.
    pub async fn pull_relayed(
        &self,
        after: Seq,
        since: Option<RelayPlace>,
        role: Role,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<(Pulled, Option<Relayed>), StoreError> {
        self.0
            .read(move |store| store.pull_relayed(after, since, role, max_entries, max_bytes))
            .await
    }

    /// Takes over who may sign in where.
    pub async fn take_access(&self, access: HubAccess, now: Timestamp) -> Result<(), StoreError> {
        self.0.write(move |store| store.take_access(&access, now)).await
    }

    /// Begins a session that the hospital's server knows nothing of.
    pub async fn open_own_session(&self, token: TokenHash, session: Session) -> Result<(), StoreError> {
        self.0
            .write(move |store| store.open_own_session(&token, &session))
            .await
    }

    /// Ends a session, and remembers to tell the hospital's server.
    pub async fn end_session(&self, token: TokenHash) -> Result<(), StoreError> {
        self.0.write(move |store| store.end_session(&token)).await
    }

    /// Sessions that ended here and that the hospital's server has not been told of, at most so many.
    pub async fn ended_sessions(&self, limit: usize) -> Result<Vec<TokenHash>, StoreError> {
        self.0.read(move |store| store.ended_sessions(limit)).await
    }

    /// The hospital's server has been told that these sessions ended.
    pub async fn forget_ended_sessions(&self, tokens: Vec<TokenHash>) -> Result<(), StoreError> {
        self.0.write(move |store| store.forget_ended_sessions(&tokens)).await
    }
}
