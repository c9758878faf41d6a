//! The store on PostgreSQL: the hospital's tables in `public`, the engine's own in the schema `sync`.
//!
//! ```text
//! accept: lock sync.head ─► load what ingest needs ─► ingest each ─► write effects, log, head ─► commit
//! ```
//!
//! *Architecture invariants*
//! - Whatever appends locks the row of `sync.head` first, so that seq has no gaps and becomes visible in order.
//! - Log, documents, tables, claims and conflicts move in one database transaction.
//! - The number of statements does not grow with the number of rows.

mod accept;
mod account;
mod checksums;
pub(crate) mod claimants;
mod device;
mod error;
mod hubs;
mod judge;
mod listen;
mod load;
mod log;
mod migrate;
mod quarantine;
mod rows;
mod session;
mod snapshot;
mod stream;
mod time;
mod turn;
mod waiting;
mod write;

use std::{str::FromStr, time::Duration};

use ed25519_dalek::SigningKey;
use holdfast_core::ids::DeviceId;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use super::{StoreError, random};
pub use listen::Heads;
pub use migrate::FORMAT;
pub use turn::Turn;

/// A server's store on PostgreSQL. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Connects to a database, makes its tables on the first run and brings them up to date on later ones.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options(url)?)
            .await?;
        let store = Self { pool };
        migrate::migrate(&mut *store.pool.acquire().await?).await?;
        store.ensure_identity().await?;
        Ok(store)
    }

    /// The pool of connections, for what looks at the tables themselves.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// True if the database answers and has this build's format.
    pub async fn is_ready(&self) -> Result<bool, StoreError> {
        migrate::is_current(&mut *self.pool.acquire().await?).await
    }

    /// Names the hospital's stream; made with the store.
    pub async fn hospital_id(&self) -> Result<Uuid, StoreError> {
        let bytes = self.meta("hospital_id").await?;
        Uuid::from_slice(&bytes).map_err(|_| StoreError::Corrupt("sync.meta has no readable hospital_id"))
    }

    /// The server's own key: it signs what the server itself writes. Made with the store.
    pub async fn server_key(&self) -> Result<SigningKey, StoreError> {
        let bytes = self.meta("server_key").await?;
        let bytes: [u8; 32] = bytes
            .try_into()
            .map_err(|_| StoreError::Corrupt("sync.meta has no readable server_key"))?;
        Ok(SigningKey::from_bytes(&bytes))
    }

    async fn meta(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        sqlx::query_scalar("SELECT value FROM sync.meta WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(StoreError::Corrupt("sync.meta lacks what was made with the store"))
    }

    /// Makes the hospital's id and the server's key, unless they are there.
    async fn ensure_identity(&self) -> Result<(), StoreError> {
        let hospital = uuid::Builder::from_random_bytes(random::bytes()).into_uuid();
        for (key, value) in [
            ("hospital_id", hospital.as_bytes().to_vec()),
            ("server_key", random::bytes::<32>().to_vec()),
        ] {
            sqlx::query("INSERT INTO sync.meta (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(key)
                .bind(value)
                .execute(&self.pool)
                .await?;
        }
        let public = self.server_key().await?.verifying_key().to_bytes();
        sqlx::query(
            "INSERT INTO sync.devices (device, public_key, name, user_id, registered_at)
             VALUES ($1, $2, 'server', $3, now()) ON CONFLICT DO NOTHING",
        )
        .bind(DeviceId::of_public_key(&public).0)
        .bind(public.to_vec())
        .bind(Uuid::nil())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// How many connections a server holds at most, beside the one that listens.
const CONNECTIONS: u32 = 10;

/// Every statement finds rows by key. So the planner, whose statistics lag behind bulk writes, is told to use indexes, to
/// plan a statement once and not anew for each batch (which reads and copies all that is in it), and not to compile
/// statements that are over before they are compiled.
///
/// Whoever appends holds the lock on the stream's end, and other servers wait for it. A server that is killed lets go at
/// once; one whose machine or network is gone says nothing, so the database gives up on it after half a minute.
fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)?
        .application_name("holdfast")
        .statement_cache_capacity(300)
        .options([
            ("search_path", "public"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
            ("plan_cache_mode", "force_generic_plan"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("tcp_user_timeout", "30s"),
            ("tcp_keepalives_idle", "30s"),
            ("tcp_keepalives_interval", "10s"),
            ("tcp_keepalives_count", "3"),
        ]))
}
