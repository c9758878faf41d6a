//! Sessions: a token in a device's hands, its hash here.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};
use holdfast_store::server::{Session, TokenHash};
use sqlx::Row;

use super::{
    PostgresStore, StoreError,
    time::{self, micros},
};

impl PostgresStore {
    /// Begins a session, and forgets those that have expired by then, but for those that [`Self::was_locked_out`] tells of.
    pub async fn open_session(&self, token: &TokenHash, session: &Session) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM sync.sessions WHERE expires_at <= $1::text::timestamptz
                 AND device NOT IN (SELECT device FROM sync.devices WHERE revoked_at IS NOT NULL)",
        )
        .bind(session.created_at.to_string())
        .execute(&self.pool)
        .await?;
        sqlx::query(
            "INSERT INTO sync.sessions (token, user_id, device, created_at, expires_at)
             VALUES ($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz)",
        )
        .bind(token.to_vec())
        .bind(session.user.0)
        .bind(session.device.0)
        .bind(session.created_at.to_string())
        .bind(session.expires_at.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The session of a token, unless it has expired.
    pub async fn session(&self, token: &TokenHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let found = sqlx::query(concat!(
            "SELECT user_id, device, ",
            micros!("created_at"),
            ", ",
            micros!("expires_at"),
            " FROM sync.sessions WHERE token = $1 AND expires_at > $2::text::timestamptz"
        ))
        .bind(token.to_vec())
        .bind(now.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(record) = found else { return Ok(None) };
        Ok(Some(Session {
            user: UserId(record.try_get(0)?),
            device: DeviceId(record.try_get(1)?),
            created_at: time::read(&record, 2)?,
            expires_at: time::read(&record, 3)?,
        }))
    }

    /// True if the token was good once and its device has been revoked since.
    pub async fn was_locked_out(&self, token: &TokenHash) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM sync.sessions JOIN sync.devices USING (device)
                 WHERE token = $1 AND revoked_at IS NOT NULL)",
        )
        .bind(token.to_vec())
        .fetch_one(&self.pool)
        .await?)
    }

    /// Ends all sessions of a user. Returns how many there were.
    pub async fn close_sessions_of(&self, user: UserId) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM sync.sessions WHERE user_id = $1")
            .bind(user.0)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }

    /// Ends a session.
    pub async fn close_session(&self, token: &TokenHash) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sync.sessions WHERE token = $1")
            .bind(token.to_vec())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
