//! What the hospital's server tells a hub so that it can let people in while that server is away. Beside it a hub pulls, pushes
//! and listens as a device does.

use minicbor::{Decode, Encode};

use crate::ids::{DeviceId, Timestamp, UserId};

/// `GET /v1/hub/access`: who may sign in where. Accounts are rows of `users`, which come with the stream.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct HubAccess {
    /// The schema version of the server.
    #[n(0)]
    pub schema_version: u32,
    /// Users with their password hashes (argon2id in PHC form).
    #[n(1)]
    pub credentials: Vec<(UserId, String)>,
    /// All devices.
    #[n(2)]
    pub devices: Vec<HubDevice>,
    /// Who has ever signed in where.
    #[n(3)]
    pub device_users: Vec<(DeviceId, UserId)>,
    /// All sessions; of those that have ended only what tells that a device was locked out.
    #[n(4)]
    pub sessions: Vec<HubSession>,
}

/// A device as the hospital's server knows it. Its id follows from its key.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct HubDevice {
    /// Its Ed25519 public key.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub public_key: [u8; 32],
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// Who signed in on it first.
    #[n(2)]
    pub user: UserId,
    /// When that was.
    #[n(3)]
    pub registered_at: Timestamp,
    /// Nothing is taken from it since.
    #[n(4)]
    pub revoked_at: Option<Timestamp>,
}

/// A session, without its token.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct HubSession {
    /// Names it.
    #[n(0)]
    pub token: TokenDigest,
    /// Who.
    #[n(1)]
    pub user: UserId,
    /// Where.
    #[n(2)]
    pub device: DeviceId,
    /// Since when.
    #[n(3)]
    pub created_at: Timestamp,
    /// Until when.
    #[n(4)]
    pub expires_at: Timestamp,
}

/// `POST /v1/hub/signed-out`: sessions that ended at the hub.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct HubSignedOut {
    /// The SHA-256 of each one's token.
    #[n(0)]
    pub tokens: Vec<TokenDigest>,
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct TokenDigest(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);
