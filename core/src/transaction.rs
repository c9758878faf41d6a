//! Transactions: the changes that one command made, signed by the device that made them.
//!
//! ```text
//! Transaction ── body ──── id, user, device, time, command, and for each change its document and hash   ◄─ signed
//!             ├─ signature (Ed25519 over the body's bytes)
//!             └─ changes   the bytes that the hashes name; a peer that may not see one gets the hash alone
//! ```
//!
//! The body is signed and kept as the bytes that the device made, so that nobody has to make them again to check them.

mod device_key;
mod prepare;
mod signatures;

use ed25519_dalek::{Signer, SigningKey};
use minicbor::{Decode, Encode, bytes::ByteVec};

pub use device_key::DeviceKey;
pub use prepare::prepare;
pub use signatures::Signatures;

use crate::{
    document::{DecodeError, DecodedChange, DocumentId},
    ids::{ChangeHash, DeviceId, Seq, Timestamp, TransactionId, UserId},
};

/// Signatures are over this text and the body.
const CONTEXT: &[u8] = b"holdfast transaction 1\0";

/// How many changes one transaction may hold.
pub const MAX_CHANGES: usize = 10_000;

/// What a device signs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Body {
    /// The transaction's name, chosen by its maker.
    #[n(0)]
    pub id: TransactionId,
    /// The schema version it was made with.
    #[n(1)]
    pub schema_version: u32,
    /// Who did it.
    #[n(2)]
    pub user: UserId,
    /// Where.
    #[n(3)]
    pub device: DeviceId,
    /// When, by the device's clock.
    #[n(4)]
    pub time: Timestamp,
    /// The device had no connection.
    #[n(5)]
    pub offline: bool,
    /// The command's name.
    #[n(6)]
    pub command: String,
    /// The changes, in the order they apply.
    #[n(7)]
    pub changes: Vec<ChangeName>,
    /// What the transaction was named that its command was made into first, if this one was made after that was taken back. The
    /// stream has one of them.
    #[n(8)]
    pub first: Option<TransactionId>,
}

impl Body {
    /// What the transaction was named that its command was made into first.
    pub fn first_id(&self) -> TransactionId {
        self.first.unwrap_or(self.id)
    }
}

/// Names a change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ChangeName {
    /// The document that it belongs to.
    #[n(0)]
    pub document: DocumentId,
    /// Its hash.
    #[n(1)]
    pub hash: ChangeHash,
}

/// A transaction as it travels and as the log keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Transaction {
    /// The encoded [`Body`].
    #[n(0)]
    pub body: ByteVec,
    /// 64 bytes.
    #[n(1)]
    pub signature: ByteVec,
    /// One per name in the body; `None` where it was withheld.
    #[n(2)]
    pub changes: Vec<Option<ByteVec>>,
}

/// A transaction with its place in the stream.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct LogEntry {
    /// The place.
    #[n(0)]
    pub seq: Seq,
    /// When the server took it.
    #[n(1)]
    pub accepted_at: Timestamp,
    /// What it took.
    #[n(2)]
    pub transaction: Transaction,
}

/// Names the moment at which an entry was accepted, so that a server which was put back to a backup can tell whether it is
/// still in its history: what is accepted again is accepted at another time. Two histories that have the same entry at the
/// same place with the same mark are the same up to there. Only servers look into it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct Mark(#[n(0)] pub String);

impl LogEntry {
    /// The entry's mark.
    pub fn mark(&self) -> Result<Mark, TransactionError> {
        let id = self.transaction.body()?.id;
        Ok(Mark(format!("{id}.{}", self.accepted_at.0)))
    }
}

/// A transaction, decoded, every change's hash checked against its name.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What was signed.
    pub body: Body,
    /// One per name; `None` where withheld.
    pub changes: Vec<Option<DecodedChange>>,
}

impl Opened {
    /// Works out what a judge asks of each change alone, so that this is done where transactions are prepared and not where they
    /// wait for each other.
    #[must_use]
    pub fn examined(self) -> Self {
        for change in self.changes.iter().flatten() {
            change.is_canonical();
        }
        self
    }
}

/// Why a transaction cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// The body isn't one.
    #[error("malformed transaction: {0}")]
    Malformed(String),
    /// More than [`MAX_CHANGES`].
    #[error("{0} changes in one transaction, where {MAX_CHANGES} are allowed")]
    TooManyChanges(usize),
    /// A change cannot be read.
    #[error("change {index}: {source}")]
    Change {
        /// Which, from 0.
        index: usize,
        /// Why.
        source: DecodeError,
    },
    /// A change isn't the one that was signed.
    #[error("change {index} is not the one that was signed")]
    WrongHash {
        /// Which, from 0.
        index: usize,
    },
    /// The signature isn't the device's.
    #[error("the signature is not that of device {0}")]
    Signature(DeviceId),
    /// The public key isn't the device's.
    #[error("the key does not belong to device {0}")]
    Key(DeviceId),
}

impl Transaction {
    /// Signs a body.
    pub fn sign(body: &Body, changes: Vec<Vec<u8>>, key: &SigningKey) -> Self {
        let body = minicbor::to_vec(body).expect("BUG: encoding into memory cannot fail");
        let signature = key.sign(&signed_bytes(&body)).to_bytes().to_vec();
        Self {
            body: body.into(),
            signature: signature.into(),
            changes: changes.into_iter().map(|c| Some(c.into())).collect(),
        }
    }

    /// Decodes the body alone.
    pub fn body(&self) -> Result<Body, TransactionError> {
        let body: Body = minicbor::decode(&self.body).map_err(|e| TransactionError::Malformed(e.to_string()))?;
        if body.changes.len() != self.changes.len() {
            return Err(TransactionError::Malformed(format!(
                "{} changes named, {} there",
                body.changes.len(),
                self.changes.len()
            )));
        }
        if body.changes.len() > MAX_CHANGES {
            return Err(TransactionError::TooManyChanges(body.changes.len()));
        }
        Ok(body)
    }

    /// Decodes everything and checks each change against its name. Does not check the signature.
    pub fn open(&self) -> Result<Opened, TransactionError> {
        self.open_with(self.body()?)
    }

    /// The same where the body has been decoded.
    pub fn open_with(&self, body: Body) -> Result<Opened, TransactionError> {
        let mut changes = Vec::with_capacity(self.changes.len());
        for (index, (name, bytes)) in body.changes.iter().zip(&self.changes).enumerate() {
            let decoded = match bytes {
                None => None,
                Some(bytes) => {
                    let decoded = DecodedChange::from_bytes(bytes)
                        .map_err(|source| TransactionError::Change { index, source })?;
                    if decoded.hash != name.hash {
                        return Err(TransactionError::WrongHash { index });
                    }
                    Some(decoded)
                }
            };
            changes.push(decoded);
        }
        Ok(Opened { body, changes })
    }

    /// Checks that `key` belongs to the body's device and signed it.
    pub fn verify(&self, body: &Body, key: &DeviceKey) -> Result<(), TransactionError> {
        if key.device() != body.device {
            return Err(TransactionError::Key(body.device));
        }
        if key.verifies(&signed_bytes(&self.body), &self.signature) {
            Ok(())
        } else {
            Err(TransactionError::Signature(body.device))
        }
    }

    /// The transaction for a peer that may see only some documents: the others' changes are withheld.
    #[must_use]
    pub fn withhold(&self, body: &Body, may_see: impl Fn(&DocumentId) -> bool) -> Self {
        let changes = body
            .changes
            .iter()
            .zip(&self.changes)
            .map(|(name, bytes)| bytes.clone().filter(|_| may_see(&name.document)))
            .collect();
        Self {
            body: self.body.clone(),
            signature: self.signature.clone(),
            changes,
        }
    }
}

fn signed_bytes(body: &[u8]) -> Vec<u8> {
    [CONTEXT, body].concat()
}
