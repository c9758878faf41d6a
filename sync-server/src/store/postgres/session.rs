//! Sessions: a token in a device's hands, its hash here.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};
use holdfast_store::server::{Session, SignedIn, TokenHash};
use sqlx::Row;

use super::{
    PostgresStore, StoreError,
    account::{self, account_columns},
    device::{self, device_columns},
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

    /// The session of a token with its account and device, unless it has expired.
    pub async fn signed_in(&self, token: &TokenHash, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        let found = sqlx::query(concat!(
            "SELECT s.user_id, s.device, ",
            micros!("s.created_at"),
            ", ",
            micros!("s.expires_at"),
            ", u.id IS NOT NULL, d.device IS NOT NULL, ",
            account_columns!(),
            ", ",
            device_columns!(),
            " FROM sync.sessions s LEFT JOIN users u ON u.id = s.user_id LEFT JOIN sync.credentials c ON c.user_id = u.id
                LEFT JOIN sync.devices d ON d.device = s.device
              WHERE s.token = $1 AND s.expires_at > $2"
        ))
        .bind(token.to_vec())
        .bind(time::bound(now))
        .fetch_optional(&self.pool)
        .await?;
        let Some(record) = found else { return Ok(None) };
        let (has_account, has_device): (bool, bool) = (record.try_get(4)?, record.try_get(5)?);
        Ok(Some(SignedIn {
            session: Session {
                user: UserId(record.try_get(0)?),
                device: DeviceId(record.try_get(1)?),
                created_at: time::read(&record, 2)?,
                expires_at: time::read(&record, 3)?,
            },
            account: has_account.then(|| account::read(&record, 6)).transpose()?,
            device: has_device.then(|| device::read(&record, 12)).transpose()?,
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
