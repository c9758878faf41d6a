//! Who is signed in on this device.

use std::collections::BTreeSet;

use holdfast_core::{
    ids::{DeviceId, UserId},
    protocol::SignInResponse,
};
use serde::{Deserialize, Serialize};

use super::{Replica, ReplicaError};

/// Who is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The server's address.
    pub server: String,
    /// `users.id`
    pub user_id: UserId,
    /// `users.username`
    pub username: String,
    /// First and last name.
    pub display_name: String,
    /// `users.role`
    pub role: String,
    /// This device.
    pub device_id: DeviceId,
}

impl Replica {
    /// This device.
    pub fn device_id(&self) -> DeviceId {
        todo!()
    }

    /// The device's public key in hexadecimal digits, as a sign-in names it.
    pub fn device_key(&self) -> String {
        todo!()
    }

    /// What goes into `Authorization: Bearer …`, while somebody is signed in.
    pub fn token(&self) -> Option<&str> {
        todo!()
    }

    /// Who is signed in.
    pub fn session(&self) -> Option<&Session> {
        todo!()
    }

    /// Somebody has signed in. Work of others on this device that waits is sent in their names. A sign-in to another hospital
    /// empties the replica, and is refused while work waits; so is one of a role that sees other columns.
    pub fn begin_session(&mut self, response: &SignInResponse, server: &str) -> Result<Session, ReplicaError> {
        todo!("{response:?} {server}")
    }

    /// Leaves the session and takes the hospital's data off this device. Refuses while work waits, unless `discard` is set.
    /// Returns the tables that are empty now.
    pub fn end_session(&mut self, discard: bool) -> Result<BTreeSet<&'static str>, ReplicaError> {
        todo!("{discard}")
    }
}
