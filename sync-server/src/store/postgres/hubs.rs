//! The hubs that the hospital's server knows, and who may sign in where, as they are told.

use holdfast_core::{
    ids::{DeviceId, Timestamp, UserId},
    protocol::{HubAccess, HubDevice, HubSession, TokenDigest},
    schema::SCHEMA_VERSION,
};
use holdfast_store::server::{KnownHub, TokenHash};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    PostgresStore, StoreError,
    time::{self, micros},
};

/// A hub.
macro_rules! select_hub {
    ($which:literal) => {
        concat!(
            "SELECT name, ",
            micros!("added_at"),
            ", ",
            micros!("seen_at"),
            ", ",
            micros!("revoked_at"),
            " FROM sync.hubs ",
            $which
        )
    };
}

impl PostgresStore {
    /// Makes a hub known. One that was locked out may be added anew. False if another has the name.
    pub async fn add_hub(&self, name: &str, token: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO sync.hubs AS h (name, token, added_at) VALUES ($1, $2, $3::text::timestamptz)
             ON CONFLICT (name) DO UPDATE
                 SET token = excluded.token, added_at = excluded.added_at, seen_at = NULL, revoked_at = NULL
                 WHERE h.revoked_at IS NOT NULL",
        )
        .bind(name)
        .bind(token.to_vec())
        .bind(now.to_string())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// All hubs, by name.
    pub async fn hubs(&self) -> Result<Vec<KnownHub>, StoreError> {
        let found = sqlx::query(select_hub!("ORDER BY name")).fetch_all(&self.pool).await?;
        found.iter().map(hub).collect()
    }

    /// The hub with this token.
    pub async fn hub_of_token(&self, token: &TokenHash) -> Result<Option<KnownHub>, StoreError> {
        let found = sqlx::query(select_hub!("WHERE token = $1"))
            .bind(token.to_vec())
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(hub).transpose()
    }

    /// Remembers that a hub asked for something.
    pub async fn hub_seen(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sync.hubs SET seen_at = $2::text::timestamptz WHERE name = $1")
            .bind(name)
            .bind(now.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes nothing from the hub any more, and gives it nothing. False if there is none of this name.
    pub async fn revoke_hub(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE sync.hubs SET revoked_at = COALESCE(revoked_at, $2::text::timestamptz) WHERE name = $1",
        )
        .bind(name)
        .bind(now.to_string())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Who may sign in where, from one state of the database. The same state gives the same bytes.
    pub async fn access(&self) -> Result<HubAccess, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut *transaction)
            .await?;
        let access = HubAccess {
            schema_version: SCHEMA_VERSION,
            credentials: credentials(&mut transaction).await?,
            devices: devices(&mut transaction).await?,
            device_users: device_users(&mut transaction).await?,
            sessions: sessions(&mut transaction).await?,
        };
        transaction.commit().await?;
        Ok(access)
    }
}

fn hub(record: &PgRow) -> Result<KnownHub, StoreError> {
    let optional = |index| record.try_get::<Option<i64>, _>(index).map(|at| at.map(Timestamp));
    Ok(KnownHub {
        name: record.try_get(0)?,
        added_at: time::read(record, 1)?,
        seen_at: optional(2)?,
        revoked_at: optional(3)?,
    })
}

async fn credentials(connection: &mut PgConnection) -> Result<Vec<(UserId, String)>, StoreError> {
    let found = sqlx::query("SELECT user_id, password_hash FROM sync.credentials ORDER BY user_id")
        .fetch_all(connection)
        .await?;
    let read = |record: &PgRow| Ok((UserId(record.try_get(0)?), record.try_get(1)?));
    found.iter().map(read).collect()
}

async fn devices(connection: &mut PgConnection) -> Result<Vec<HubDevice>, StoreError> {
    let found = sqlx::query(concat!(
        "SELECT public_key, name, user_id, ",
        micros!("registered_at"),
        ", ",
        micros!("revoked_at"),
        " FROM sync.devices ORDER BY device"
    ))
    .fetch_all(connection)
    .await?;
    let read = |record: &PgRow| {
        Ok(HubDevice {
            public_key: bytes(record, 0)?,
            name: record.try_get(1)?,
            user: UserId(record.try_get(2)?),
            registered_at: time::read(record, 3)?,
            revoked_at: record.try_get::<Option<i64>, _>(4)?.map(Timestamp),
        })
    };
    found.iter().map(read).collect()
}

async fn device_users(connection: &mut PgConnection) -> Result<Vec<(DeviceId, UserId)>, StoreError> {
    let found = sqlx::query("SELECT device, user_id FROM sync.device_users ORDER BY device, user_id")
        .fetch_all(connection)
        .await?;
    let read = |record: &PgRow| Ok((DeviceId(record.try_get(0)?), UserId(record.try_get(1)?)));
    found.iter().map(read).collect()
}

async fn sessions(connection: &mut PgConnection) -> Result<Vec<HubSession>, StoreError> {
    let found = sqlx::query(concat!(
        "SELECT token, user_id, device, ",
        micros!("created_at"),
        ", ",
        micros!("expires_at"),
        " FROM sync.sessions ORDER BY token"
    ))
    .fetch_all(connection)
    .await?;
    let read = |record: &PgRow| {
        Ok(HubSession {
            token: TokenDigest(bytes(record, 0)?),
            user: UserId(record.try_get(1)?),
            device: DeviceId(record.try_get(2)?),
            created_at: time::read(record, 3)?,
            expires_at: time::read(record, 4)?,
        })
    };
    found.iter().map(read).collect()
}

/// A key or a hash.
fn bytes(record: &PgRow, index: usize) -> Result<[u8; 32], StoreError> {
    let bytes: &[u8] = record.try_get(index)?;
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("a key or a token's hash is not 32 bytes"))
}
