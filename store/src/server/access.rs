//! Who may sign in where: told by the hospital's server to its hubs, and taken over by a hub.

use std::collections::{HashMap, HashSet};

use holdfast_core::{
    ids::{DeviceId, Timestamp, UserId},
    protocol::{HubAccess, HubDevice, HubSession, TokenDigest},
    schema::SCHEMA_VERSION,
};
use rusqlite::{Connection, TransactionBehavior};

use super::{ServerStore, Session, TokenHash};
use crate::{StoreError, sql_value::uuid_text};

impl ServerStore {
    /// Who may sign in where. The same store gives the same bytes.
    pub fn access(&mut self) -> Result<HubAccess, StoreError> {
        let transaction = self.connection.transaction()?;
        Ok(HubAccess {
            schema_version: SCHEMA_VERSION,
            credentials: credentials(&transaction)?,
            devices: devices(&transaction)?,
            device_users: device_users(&transaction)?,
            sessions: sessions(&transaction)?,
        })
    }

    /// Takes over what the hospital's server says. What began here during an outage stays: its own sessions, who signed in;
    /// but no session of a locked-out device or of a user with another password. A device that is locked out stays so.
    pub fn take_access(&mut self, access: &HubAccess, now: Timestamp) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        take_credentials(&transaction, access)?;
        take_devices(&transaction, access, now)?;
        take_sessions(&transaction, access)?;
        let sql = "UPDATE sync_sessions SET expires_at = min(expires_at, ?1)
            WHERE device IN (SELECT device FROM sync_devices WHERE revoked_at IS NOT NULL)";
        transaction.execute(sql, [now.0])?;
        transaction.commit()?;
        Ok(())
    }

    /// Begins a session that the hospital's server knows nothing of: a hub opens it during an outage.
    pub fn open_own_session(&mut self, token: &TokenHash, session: &Session) -> Result<(), StoreError> {
        self.open_session(token, session)?;
        let sql = "UPDATE sync_sessions SET own = 1 WHERE token_hash = ?1";
        self.connection.execute(sql, [token])?;
        Ok(())
    }

    /// Ends a session at a hub, and remembers to tell the hospital's server.
    pub fn end_session(&mut self, token: &TokenHash) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        let sql = "INSERT OR IGNORE INTO sync_ended_sessions (token_hash)
            SELECT token_hash FROM sync_sessions WHERE token_hash = ?1 AND NOT own";
        transaction.execute(sql, [token])?;
        transaction.execute("DELETE FROM sync_sessions WHERE token_hash = ?1", [token])?;
        transaction.commit()?;
        Ok(())
    }

    /// Sessions that ended here and that the hospital's server has not been told of, at most so many.
    pub fn ended_sessions(&self, limit: usize) -> Result<Vec<TokenHash>, StoreError> {
        let sql = "SELECT token_hash FROM sync_ended_sessions LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map([limit as i64], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The hospital's server has been told that these sessions ended.
    pub fn forget_ended_sessions(&mut self, tokens: &[TokenHash]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for token in tokens {
            transaction.execute("DELETE FROM sync_ended_sessions WHERE token_hash = ?1", [token])?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn credentials(connection: &Connection) -> Result<Vec<(UserId, String)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT user, password_hash FROM sync_credentials ORDER BY user")?;
    let mut found = statement.query([])?;
    let mut credentials = Vec::new();
    while let Some(row) = found.next()? {
        credentials.push((UserId(uuid_text(&row.get::<_, String>(0)?)?), row.get(1)?));
    }
    Ok(credentials)
}

fn devices(connection: &Connection) -> Result<Vec<HubDevice>, StoreError> {
    let sql = "SELECT public_key, name, user, registered_at, revoked_at FROM sync_devices ORDER BY device";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut devices = Vec::new();
    while let Some(row) = found.next()? {
        devices.push(HubDevice {
            public_key: row.get(0)?,
            name: row.get(1)?,
            user: UserId(uuid_text(&row.get::<_, String>(2)?)?),
            registered_at: Timestamp(row.get(3)?),
            revoked_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        });
    }
    Ok(devices)
}

fn device_users(connection: &Connection) -> Result<Vec<(DeviceId, UserId)>, StoreError> {
    let sql = "SELECT device, user FROM sync_device_users ORDER BY device, user";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut pairs = Vec::new();
    while let Some(row) = found.next()? {
        let (device, user): (String, String) = (row.get(0)?, row.get(1)?);
        pairs.push((DeviceId(uuid_text(&device)?), UserId(uuid_text(&user)?)));
    }
    Ok(pairs)
}

fn sessions(connection: &Connection) -> Result<Vec<HubSession>, StoreError> {
    let sql = "SELECT token_hash, user, device, created_at, expires_at FROM sync_sessions ORDER BY token_hash";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = found.next()? {
        sessions.push(HubSession {
            token: TokenDigest(row.get(0)?),
            user: UserId(uuid_text(&row.get::<_, String>(1)?)?),
            device: DeviceId(uuid_text(&row.get::<_, String>(2)?)?),
            created_at: Timestamp(row.get(3)?),
            expires_at: Timestamp(row.get(4)?),
        });
    }
    Ok(sessions)
}

/// A new password ends the user's sessions, here as there.
fn take_credentials(connection: &Connection, access: &HubAccess) -> Result<(), StoreError> {
    let known: HashMap<_, _> = credentials(connection)?.into_iter().collect();
    connection.execute("DELETE FROM sync_credentials", [])?;
    let mut insert =
        connection.prepare_cached("INSERT OR REPLACE INTO sync_credentials (user, password_hash) VALUES (?1, ?2)")?;
    let mut end = connection.prepare_cached("DELETE FROM sync_sessions WHERE own AND user = ?1")?;
    for (user, hash) in &access.credentials {
        insert.execute((user.to_string(), hash))?;
        if known.get(user).is_some_and(|known| known != hash) {
            end.execute([user.to_string()])?;
        }
    }
    let sql = "UPDATE users SET password_hash = c.password_hash FROM sync_credentials AS c
        WHERE c.user = users.id AND users.password_hash IS NOT c.password_hash";
    connection.execute(sql, [])?;
    Ok(())
}

fn take_devices(connection: &Connection, access: &HubAccess, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_devices (device, public_key, name, user, registered_at, revoked_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (device) DO UPDATE SET name = excluded.name,
            revoked_at = coalesce(revoked_at, excluded.revoked_at)";
    let mut insert = connection.prepare_cached(sql)?;
    for device in &access.devices {
        insert.execute((
            DeviceId::of_public_key(&device.public_key).to_string(),
            device.public_key,
            &device.name,
            device.user.to_string(),
            device.registered_at.0,
            device.revoked_at.map(|at| at.0),
        ))?;
    }
    // Of a device that was not named nothing is known.
    let sql = "INSERT OR IGNORE INTO sync_device_users (device, user, since)
        SELECT device, ?2, ?3 FROM sync_devices WHERE device = ?1";
    let mut insert = connection.prepare_cached(sql)?;
    for (device, user) in &access.device_users {
        insert.execute((device.to_string(), user.to_string(), now.0))?;
    }
    Ok(())
}

fn take_sessions(connection: &Connection, access: &HubAccess) -> Result<(), StoreError> {
    connection.execute("DELETE FROM sync_sessions WHERE NOT own", [])?;
    let mut statement = connection.prepare_cached("SELECT token_hash FROM sync_ended_sessions")?;
    let found = statement.query_map([], |row| row.get(0))?;
    let ended: HashSet<TokenHash> = found.collect::<Result<_, _>>()?;
    let sql = "INSERT OR REPLACE INTO sync_sessions (token_hash, user, device, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = connection.prepare_cached(sql)?;
    for session in access.sessions.iter().filter(|s| !ended.contains(&s.token.0)) {
        insert.execute((
            session.token.0,
            session.user.to_string(),
            session.device.to_string(),
            session.created_at.0,
            session.expires_at.0,
        ))?;
    }
    Ok(())
}
