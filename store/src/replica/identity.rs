//! The device: its key, and the actor that it writes as.

use ed25519_dalek::SigningKey;
use holdfast_core::{document::Actor, ids::DeviceId};
use rusqlite::Connection;

use super::Replica;
use crate::{Host, StoreError, hex, meta};

/// The device's key, made at the first opening.
pub(super) fn device_key(connection: &Connection, host: &mut Host) -> Result<SigningKey, StoreError> {
    let seed: [u8; 32] = if let Some(seed) = meta::get(connection, "device_seed")? {
        seed
    } else {
        let seed = host.bytes();
        meta::set(connection, "device_seed", seed)?;
        seed
    };
    Ok(SigningKey::from_bytes(&seed))
}

/// An actor of this device that never wrote before.
pub(super) fn new_actor(key: &SigningKey, host: &mut Host) -> Actor {
    let incarnation = u32::from_be_bytes(host.bytes());
    Actor::new(device(key), if broken!(SameActor) { 1 } else { incarnation })
}

fn device(key: &SigningKey) -> DeviceId {
    DeviceId::of_public_key(&key.verifying_key().to_bytes())
}

impl Replica {
    /// This device.
    pub fn device_id(&self) -> DeviceId {
        device(&self.key)
    }

    /// The device's public key in hexadecimal digits, as a sign-in names it.
    pub fn device_key(&self) -> String {
        hex::encode(&self.key.verifying_key().to_bytes())
    }
}
