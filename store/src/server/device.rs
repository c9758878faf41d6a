//! The devices that the server knows, and who signed in on them.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};

use super::ServerStore;
use crate::StoreError;

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
        todo!("{public_key:?} {name} {user} {now}")
    }

    /// A device that is known.
    pub fn device(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        todo!("{device}")
    }

    /// True if the user has ever signed in on the device: only then may it sign in the user's name.
    pub fn has_signed_in(&self, device: DeviceId, user: UserId) -> Result<bool, StoreError> {
        todo!("{device} {user}")
    }

    /// Takes nothing from the device any more and ends its sessions. False if it isn't known.
    pub fn revoke_device(&mut self, device: DeviceId, now: Timestamp) -> Result<bool, StoreError> {
        todo!("{device} {now}")
    }
}
