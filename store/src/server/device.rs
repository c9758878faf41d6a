//! The devices that the server knows, and who signed in on them.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};

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
        transaction.execute("DELETE FROM sync_sessions WHERE device = ?1", [device.to_string()])?;
        transaction.commit()?;
        Ok(known)
    }
}
