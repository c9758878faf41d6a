//! At the hospital's server: its hubs, and what they are told.

use holdfast_core::{ids::Timestamp, protocol::HubAccess};

use super::{KnownHub, Store, StoreError, TokenHash};

impl Store {
    /// Makes a hub known. One that was locked out may be added anew. False if another has the name.
    pub async fn add_hub(&self, name: &str, token: TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let name = name.to_owned();
                sqlite.write(move |store| store.add_hub(&name, &token, now)).await
            }
            Self::Postgres(store) => store.add_hub(name, &token, now).await,
        }
    }

    /// All hubs, by name.
    pub async fn hubs(&self) -> Result<Vec<KnownHub>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(|store| store.hubs()).await,
            Self::Postgres(store) => store.hubs().await,
        }
    }

    /// The hub with this token.
    pub async fn hub_of_token(&self, token: TokenHash) -> Result<Option<KnownHub>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |store| store.hub_of_token(&token)).await,
            Self::Postgres(store) => store.hub_of_token(&token).await,
        }
    }

    /// Remembers that a hub asked for something.
    pub async fn hub_seen(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let name = name.to_owned();
                sqlite.write(move |store| store.hub_seen(&name, now)).await
            }
            Self::Postgres(store) => store.hub_seen(name, now).await,
        }
    }

    /// Takes nothing from the hub any more, and gives it nothing. False if there is none of this name.
    pub async fn revoke_hub(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                let name = name.to_owned();
                sqlite.write(move |store| store.revoke_hub(&name, now)).await
            }
            Self::Postgres(store) => store.revoke_hub(name, now).await,
        }
    }

    /// Who may sign in where. The same state of the store gives the same bytes.
    pub async fn access(&self) -> Result<HubAccess, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(holdfast_store::ServerStore::access).await,
            Self::Postgres(store) => store.access().await,
        }
    }
}
