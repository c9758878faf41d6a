//! The devices that the server knows, and who signed in on them.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};
use holdfast_store::server::Device;
use sqlx::{Row, postgres::PgRow};

use super::{
    PostgresStore, StoreError,
    time::{self, micros},
};

/// What [`read`] reads.
macro_rules! device_columns {
    () => {
        concat!(
            "d.device, d.public_key, d.name, d.user_id, ",
            micros!("d.registered_at"),
            ", ",
            micros!("d.revoked_at")
        )
    };
}
pub(super) use device_columns;

/// A device, and one thing more.
macro_rules! select_device {
    ($more:literal, $which:literal) => {
        concat!(
            "SELECT ",
            device_columns!(),
            ", ",
            $more,
            " FROM sync.devices d ",
            $which
        )
    };
}

impl PostgresStore {
    /// Makes a device known, if it isn't, and remembers that the user signed in on it. Returns it as it stands; a revoked
    /// one stays revoked.
    pub async fn register_device(
        &self,
        public_key: &[u8; 32],
        name: &str,
        user: UserId,
        now: Timestamp,
    ) -> Result<Device, StoreError> {
        let id = DeviceId::of_public_key(public_key);
        sqlx::query(
            "INSERT INTO sync.devices (device, public_key, name, user_id, registered_at)
             VALUES ($1, $2, $3, $4, $5::text::timestamptz)
             ON CONFLICT (device) DO UPDATE SET name = excluded.name",
        )
        .bind(id.0)
        .bind(public_key.to_vec())
        .bind(name)
        .bind(user.0)
        .bind(now.to_string())
        .execute(&self.pool)
        .await?;
        sqlx::query("INSERT INTO sync.device_users (device, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(id.0)
            .bind(user.0)
            .execute(&self.pool)
            .await?;
        self.device(id)
            .await?
            .ok_or(StoreError::Corrupt("a device is gone that was just registered"))
    }

    /// A device that is known.
    pub async fn device(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        let found = sqlx::query(select_device!("NULL", "WHERE device = $1"))
            .bind(device.0)
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(|record| read(record, 0)).transpose()
    }

    /// All devices with the names of who signed in on them, in the order in which they came.
    pub async fn devices(&self) -> Result<Vec<(Device, Vec<String>)>, StoreError> {
        let found = sqlx::query(select_device!(
            "ARRAY(SELECT COALESCE(u.username, p.user_id::text) FROM sync.device_users p
                 LEFT JOIN users u ON u.id = p.user_id WHERE p.device = d.device)",
            "ORDER BY registered_at, device"
        ))
        .fetch_all(&self.pool)
        .await?;
        let mut devices = Vec::with_capacity(found.len());
        for record in &found {
            let mut users: Vec<String> = record.try_get(6)?;
            users.sort_unstable();
            devices.push((read(record, 0)?, users));
        }
        Ok(devices)
    }

    /// True if the user has ever signed in on the device: only then may it sign in the user's name.
    pub async fn has_signed_in(&self, device: DeviceId, user: UserId) -> Result<bool, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM sync.device_users WHERE device = $1 AND user_id = $2)")
                .bind(device.0)
                .bind(user.0)
                .fetch_one(&self.pool)
                .await?,
        )
    }

    /// Takes nothing from the device any more and ends its sessions. False if it isn't known.
    pub async fn revoke_device(&self, device: DeviceId, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE sync.devices SET revoked_at = COALESCE(revoked_at, $2::text::timestamptz) WHERE device = $1",
        )
        .bind(device.0)
        .bind(now.to_string())
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE sync.sessions SET expires_at = LEAST(expires_at, $2::text::timestamptz) WHERE device = $1")
            .bind(device.0)
            .bind(now.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }
}

/// Reads a device from this column on.
pub(super) fn read(record: &PgRow, at: usize) -> Result<Device, StoreError> {
    let key: &[u8] = record.try_get(at + 1)?;
    Ok(Device {
        id: DeviceId(record.try_get(at)?),
        public_key: key
            .try_into()
            .map_err(|_| StoreError::Corrupt("a device's key is not 32 bytes"))?,
        name: record.try_get(at + 2)?,
        user: UserId(record.try_get(at + 3)?),
        registered_at: time::read(record, at + 4)?,
        revoked_at: record.try_get::<Option<i64>, _>(at + 5)?.map(Timestamp),
    })
}
