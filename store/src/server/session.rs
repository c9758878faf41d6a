//! Sessions: a token in a device's hands, its hash here.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};

use super::{Account, Device, ServerStore};
use crate::{StoreError, sql_value};

/// The SHA-256 of a session's token. The token itself is kept nowhere.
pub type TokenHash = [u8; 32];

/// Somebody is signed in on a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// Where.
    pub device: DeviceId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A session, and who and what it is of; `None` for what is not known any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Its user's account.
    pub account: Option<Account>,
    /// Its device.
    pub device: Option<Device>,
}

impl ServerStore {
    /// Begins a session, and forgets those that have expired by then, but for those that [`Self::was_locked_out`] tells of.
    pub fn open_session(&mut self, token: &TokenHash, session: &Session) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "DELETE FROM sync_sessions WHERE expires_at <= ?1
                AND device NOT IN (SELECT device FROM sync_devices WHERE revoked_at IS NOT NULL)",
            [session.created_at.0],
        )?;
        transaction.execute(
            "INSERT INTO sync_sessions (token_hash, user, device, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                token,
                session.user.to_string(),
                session.device.to_string(),
                session.created_at.0,
                session.expires_at.0,
            ),
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// The session of a token, unless it has expired.
    pub fn session(&self, token: &TokenHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT user, device, created_at, expires_at FROM sync_sessions
            WHERE token_hash = ?1 AND expires_at > ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query((token, now.0))?;
        let Some(row) = found.next()? else { return Ok(None) };
        Ok(Some(Session {
            user: UserId(sql_value::uuid_text(&row.get::<_, String>(0)?)?),
            device: DeviceId(sql_value::uuid_text(&row.get::<_, String>(1)?)?),
            created_at: Timestamp(row.get(2)?),
            expires_at: Timestamp(row.get(3)?),
        }))
    }

    /// The session of a token with its account and device, unless it has expired.
    pub fn signed_in(&self, token: &TokenHash, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        let Some(session) = self.session(token, now)? else {
            return Ok(None);
        };
        Ok(Some(SignedIn {
            account: self.account(session.user)?,
            device: self.device(session.device)?,
            session,
        }))
    }

    /// True if the token was good once and its device has been revoked since.
    pub fn was_locked_out(&self, token: &TokenHash) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM sync_sessions JOIN sync_devices USING (device)
            WHERE token_hash = ?1 AND revoked_at IS NOT NULL";
        Ok(self.connection.prepare_cached(sql)?.exists([token])?)
    }

    /// Ends all sessions of a user. Returns how many there were.
    pub fn close_sessions_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sync_sessions WHERE user = ?1";
        Ok(self.connection.execute(sql, [user.to_string()])? as u64)
    }

    /// Ends a session.
    pub fn close_session(&mut self, token: &TokenHash) -> Result<(), StoreError> {
        self.connection
            .execute("DELETE FROM sync_sessions WHERE token_hash = ?1", [token])?;
        Ok(())
    }
}
