//! The devices that the server knows, and who signed in on them.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};
use rusqlite::Connection;
use uuid::Uuid;

use super::ServerStore;
use crate::{StoreError, sql_value};

/// A device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its id, which follows from its key.
    pub id: DeviceId,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// What people call it.
    pub name: String,
    /// Who signed in on it first.
    pub user: UserId,
    /// When that was.
    pub registered_at: Timestamp,
    /// Nothing is taken from it since.
    pub revoked_at: Option<Timestamp>,
}

impl ServerStore {
    /// Makes a device known, if it isn't, and remembers that the user signed in on it. Returns it as it stands; a revoked
    /// one stays revoked.
    pub fn register_device(
        &mut self,
        public_key: &[u8; 32],
        name: &str,
        user: UserId,
        now: Timestamp,
    ) -> Result<Device, StoreError> {
        let id = DeviceId::of_public_key(public_key);
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO sync_devices (device, public_key, name, user, registered_at) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (device) DO UPDATE SET name = excluded.name",
            (id.to_string(), public_key, name, user.to_string(), now.0),
        )?;
        transaction.execute(
            "INSERT OR IGNORE INTO sync_device_users (device, user, since) VALUES (?1, ?2, ?3)",
            (id.to_string(), user.to_string(), now.0),
        )?;
        transaction.commit()?;
        self.device(id)?
            .ok_or_else(|| StoreError::corrupt("a device that was just registered is gone"))
    }

    /// Makes the server's own device known: what the server writes is signed with its key.
    pub(super) fn register_server(
        connection: &Connection,
        public_key: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = DeviceId::of_public_key(public_key).to_string();
        let sql = "SELECT 1 FROM sync_devices WHERE device = ?1";
        if connection.prepare_cached(sql)?.exists([&id])? {
            return Ok(());
        }
        connection.execute(
            "INSERT INTO sync_devices (device, public_key, name, user, registered_at) VALUES (?1, ?2, 'server', ?3, ?4)",
            (id, public_key, Uuid::nil().to_string(), now.0),
        )?;
        Ok(())
    }

    /// All devices with the names of who signed in on them, in the order in which they came.
    pub fn devices(&self) -> Result<Vec<(Device, Vec<String>)>, StoreError> {
        let sql = "SELECT d.device, (SELECT json_group_array(coalesce(u.username, p.user)) FROM sync_device_users AS p
                LEFT JOIN users AS u ON u.id = p.user WHERE p.device = d.device)
            FROM sync_devices AS d ORDER BY d.registered_at, d.device";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([])?;
        let mut devices = Vec::new();
        while let Some(row) = found.next()? {
            let id = DeviceId(sql_value::uuid_text(&row.get::<_, String>(0)?)?);
            let mut users: Vec<String> =
                serde_json::from_str(&row.get::<_, String>(1)?).map_err(StoreError::corrupt)?;
            users.sort_unstable();
            if let Some(device) = self.device(id)? {
                devices.push((device, users));
            }
        }
        Ok(devices)
    }

    /// A device that is known.
    pub fn device(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        let sql = "SELECT public_key, name, user, registered_at, revoked_at FROM sync_devices WHERE device = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([device.to_string()])?;
        let Some(row) = found.next()? else { return Ok(None) };
        Ok(Some(Device {
            id: device,
            public_key: row.get(0)?,
            name: row.get(1)?,
            user: UserId(sql_value::uuid_text(&row.get::<_, String>(2)?)?),
            registered_at: Timestamp(row.get(3)?),
            revoked_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        }))
    }

    /// True if the user has ever signed in on the device: only then may it sign in the user's name.
    pub fn has_signed_in(&self, device: DeviceId, user: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM sync_device_users WHERE device = ?1 AND user = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.exists((device.to_string(), user.to_string()))?)
    }

    /// Takes nothing from the device any more and ends its sessions. False if it isn't known.
    pub fn revoke_device(&mut self, device: DeviceId, now: Timestamp) -> Result<bool, StoreError> {
        let transaction = self.connection.transaction()?;
        let sql = "UPDATE sync_devices SET revoked_at = coalesce(revoked_at, ?2) WHERE device = ?1";
        let known = transaction.execute(sql, (device.to_string(), now.0))? > 0;
        let sql = "UPDATE sync_sessions SET expires_at = min(expires_at, ?2) WHERE device = ?1";
        transaction.execute(sql, (device.to_string(), now.0))?;
        transaction.commit()?;
        Ok(known)
    }
}
