//! The messages between a device and a server, CBOR inside HTTP. See `docs/protocol.md`.

mod hub;
mod relay;

use minicbor::{Decode, Encode, bytes::ByteVec};

pub use hub::{HubAccess, HubDevice, HubSession, HubSignedOut, TokenDigest};
pub use relay::{RelayEvent, RelayList, Relayed};

use crate::{
    checksum::Checksum,
    document::{Actor, DocumentId},
    ids::{HubId, Seq, TransactionId, UserId},
    transaction::{LogEntry, Mark, Transaction},
};

/// The version of these messages; it is part of the path (`/v1/…`).
pub const PROTOCOL_VERSION: u32 = 1;

/// How many transactions one push may carry.
pub const MAX_PUSH_TRANSACTIONS: usize = 1_000;

/// How many bytes one request body may have after unpacking.
pub const MAX_REQUEST_BYTES: usize = 16 << 20;

/// The code of a refusal: the stream has the command already, as another transaction of the same device. See [`Body::first`].
///
/// [`Body::first`]: crate::transaction::Body::first
pub const DONE_ALREADY: &str = "done_already";

/// `POST /v1/push`: transactions of the outbox, in order.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct PushRequest {
    /// In the order they were made.
    #[n(0)]
    pub transactions: Vec<Transaction>,
}

/// The answer to a push: an outcome for each transaction, in order. After a rejection of one the server goes on with the
/// next.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct PushResponse {
    /// In the order of the request.
    #[n(0)]
    pub outcomes: Vec<PushOutcome>,
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum PushOutcome {
    /// It is in the stream, since now or since an earlier push.
    #[n(0)]
    Accepted {
        /// Which.
        #[n(0)]
        id: TransactionId,
        /// Its place.
        #[n(1)]
        seq: Seq,
    },
    /// It is refused for good, and kept in the server's quarantine.
    #[n(1)]
    Rejected {
        /// Which; the nil UUID if it could not be read that far.
        #[n(0)]
        id: TransactionId,
        /// Machine-readable.
        #[n(1)]
        code: String,
        /// For people: which row, and why.
        #[n(2)]
        reason: String,
    },
    /// It builds on changes that the server has not seen, or refers to rows that it does not have. The server keeps it and
    /// takes it in as soon as they come; it then shows up in the stream.
    #[n(2)]
    Waiting {
        /// Which.
        #[n(0)]
        id: TransactionId,
        /// How many changes and rows it waits for.
        #[n(1)]
        missing: u64,
    },
    /// The same, and the server has no room to keep it. The device keeps it and sends it again later.
    #[n(3)]
    Later {
        /// Which.
        #[n(0)]
        id: TransactionId,
        /// How many changes and rows it waits for. 0, to a hub: the device that made it is not known (any more).
        #[n(1)]
        missing: u64,
    },
    /// A hub has judged it, keeps it, and passes it on: it then shows up in the stream, or is refused there.
    #[n(4)]
    Relayed {
        /// Which.
        #[n(0)]
        id: TransactionId,
        /// The hub that keeps it.
        #[n(1)]
        hub: HubId,
    },
}

/// `GET /v1/pull?after=SEQ&limit=N`: what came after a cursor.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct PullResponse {
    /// In stream order.
    #[n(0)]
    pub entries: Vec<LogEntry>,
    /// The cursor after these entries.
    #[n(1)]
    pub cursor: Seq,
    /// The end of the stream.
    #[n(2)]
    pub head: Seq,
    /// Over the documents that the device sees, as they are at `head`; given when the page reaches it.
    #[n(3)]
    pub checksum: Option<ScopeChecksum>,
    /// What a hub relays; given when the page reaches `head`.
    #[n(4)]
    pub relayed: Option<Relayed>,
}

/// What a replica that is in step must come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ScopeChecksum {
    /// The sum.
    #[n(0)]
    pub sum: Checksum,
    /// Restricted columns are in it. A role may have changed since the device made its copy.
    #[n(2)]
    pub restricted: bool,
    /// The schema version that it was made with: who knows fewer tables comes to another sum.
    #[n(1)]
    pub schema_version: u32,
}

/// `GET /v1/snapshot?after=TOKEN`: all documents, for a new device. Tables come in an order in which references lead back,
/// so that each page can be shown at once.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct SnapshotResponse {
    /// The stream's end when this page was read. The device goes on with `pull` from the first page's.
    #[n(0)]
    pub as_of: Seq,
    /// Documents in stored form ([`crate::document::Document::to_bytes`]).
    #[n(1)]
    pub documents: Vec<SnapshotDocument>,
    /// Who is behind the actors; all of them, on the first page.
    #[n(2)]
    pub actors: Vec<(Actor, UserId)>,
    /// Asks for the next page; `None` on the last.
    #[n(3)]
    pub next: Option<String>,
    /// How many documents there are in all.
    #[n(4)]
    pub total: u64,
    /// The mark of the stream's end; `None` while the stream is empty.
    #[n(5)]
    pub mark: Option<Mark>,
    /// Restricted columns are among the documents: what the server that answers lets the device's person see. It may know
    /// another role of theirs than the one that gave the page before.
    #[n(6)]
    pub restricted: bool,
}

/// A document of a snapshot.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct SnapshotDocument {
    /// Which.
    #[n(0)]
    pub id: DocumentId,
    /// Its stored form.
    #[n(1)]
    pub state: ByteVec,
}

/// `POST /v1/session` (JSON): a user signs in on a device.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignInRequest {
    /// `users.username`
    pub username: String,
    /// In clear, over TLS.
    pub password: String,
    /// The device's Ed25519 public key, 64 hexadecimal digits.
    pub device_key: String,
    /// What people call the device.
    pub device_name: String,
}

/// The answer to a sign-in (JSON).
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInResponse {
    /// Goes into `Authorization: Bearer …`.
    pub token: String,
    /// Names the hospital's stream: a replica of another one must not be synced with it.
    pub hospital_id: String,
    /// `users.id`
    pub user_id: UserId,
    /// `users.username`
    pub username: String,
    /// First and last name.
    pub display_name: String,
    /// `users.role`
    pub role: String,
    /// The server's clock, microseconds since 1970.
    pub server_time: i64,
    /// The schema version of the server.
    pub schema_version: u32,
}

/// Any error of the server (JSON), with an HTTP status to match.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorResponse {
    /// Machine-readable: `sign_in_failed`, `unauthorized`, `malformed`, `too_large`, `busy`, `unavailable`, `internal` …
    pub code: String,
    /// For people: what happened and what to do.
    pub message: String,
}

/// Encodes a message.
pub fn encode<T: Encode<()>>(message: &T) -> Vec<u8> {
    minicbor::to_vec(message).expect("BUG: encoding into memory cannot fail")
}

/// Decodes a message and refuses bytes after it.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, minicbor::decode::Error> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode()?;
    if decoder.position() != bytes.len() {
        return Err(minicbor::decode::Error::message("bytes are left over"));
    }
    Ok(message)
}
