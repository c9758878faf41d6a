//! Sessions: a token in a device's hands, its hash here.

use holdfast_core::ids::{DeviceId, Timestamp, UserId};

use super::ServerStore;
use crate::StoreError;

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

impl ServerStore {
    /// Begins a session.
    pub fn open_session(&mut self, token: &TokenHash, session: &Session) -> Result<(), StoreError> {
        todo!("{token:?} {session:?}")
    }

    /// The session of a token, unless it has expired.
    pub fn session(&self, token: &TokenHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        todo!("{token:?} {now}")
    }

    /// Ends a session.
    pub fn close_session(&mut self, token: &TokenHash) -> Result<(), StoreError> {
        todo!("{token:?}")
    }
}
