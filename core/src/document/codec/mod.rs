//! Automerge's binary format of a change, read and written.
//!
//! ```text
//! chunk    = magic 85 6f 4a 83, checksum (4), kind (1), length (LEB128), contents
//! kind     = 1: contents as they are    2: contents packed with deflate
//! contents = dependencies, actor, seq, start op, time, message, other actors, column directory, columns, extra bytes
//! ```
//!
//! A change's hash is the SHA-256 of kind 1, the length and the contents; the checksum is its first four bytes. Operations
//! are stored by column, each column run-length encoded. Source of the format: <https://automerge.org/automerge-binary-format-spec/>.
//!
//! *Architecture invariant*: reading takes memory and time in proportion to the bytes given, whatever they say.

mod column;
mod decode;
mod encode;
mod leb128;

use std::sync::Arc;

pub(super) use encode::encode;

use super::{Actor, ObjectKind, Scalar};
use crate::ids::ChangeHash;

/// The largest change taken, in bytes, packed or not.
pub const MAX_CHANGE_BYTES: usize = 4 << 20;

/// The most operations one change may have.
pub const MAX_OPERATIONS: usize = 250_000;

/// The longest key of a map, in bytes.
pub const MAX_KEY_BYTES: usize = 1_024;

/// Contents longer than this are packed.
const PACK_FROM: usize = 256;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// A change's contents.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Its maker, then all other actors that its operations name, in order.
    pub actors: Vec<Actor>,
    /// Which of its maker's changes to the document it is, from 1.
    pub seq: u64,
    /// The counter of its first operation.
    pub start_op: u64,
    /// Seconds since 1970, as its maker says.
    pub time: i64,
    /// Its maker's remark.
    pub message: Option<String>,
    /// The changes that it builds on.
    pub deps: Vec<ChangeHash>,
    /// Its operations, numbered from `start_op`.
    pub operations: Vec<Operation>,
    /// The operations' predecessors, one after the other: see [`Change::preds`].
    preds: Vec<OpRef>,
}

/// An operation's id as a change names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpRef {
    /// Lamport counter.
    pub counter: u64,
    /// Index into [`Change::actors`].
    pub actor: u32,
}

/// One operation.
#[derive(Clone, PartialEq, Debug)]
pub struct Operation {
    /// The object that it is on; `None` for the root map.
    pub object: Option<OpRef>,
    /// Where in the object.
    pub key: OpKey,
    /// Makes a new element after `key`.
    pub insert: bool,
    /// What it does.
    pub action: Action,
    first_pred: u32,
    pred_count: u32,
}

/// Where in its object an operation acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpKey {
    /// A key of a map.
    Map(Arc<str>),
    /// The start of a sequence.
    Head,
    /// An element of a sequence.
    Element(OpRef),
}

/// What an operation does.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Sets a plain value.
    Set(Scalar),
    /// Makes an object.
    Make(ObjectKind),
    /// Removes its predecessors.
    Delete,
    /// Adds to its predecessors.
    Increment(i64),
    /// Begins or ends a mark of a text; Holdfast carries marks along and does not show them.
    Mark,
}

/// A change, decoded and its hash computed.
#[derive(Clone, Debug)]
pub struct DecodedChange {
    /// Its name: SHA-256 of its contents.
    pub hash: ChangeHash,
    /// What it says.
    pub change: Change,
}

/// Why bytes are not a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes, operations or keys than are taken.
    #[error("the change is too large: {0}")]
    TooLarge(&'static str),
    /// Not in Automerge's format.
    #[error("not an Automerge change: {0}")]
    Malformed(&'static str),
    /// The checksum doesn't match: the bytes were damaged.
    #[error("the change is damaged: its checksum does not match")]
    Checksum,
    /// A kind of operation or value that this version doesn't know.
    #[error("the change has an operation or value of an unknown kind")]
    UnknownKind,
}

impl Change {
    /// Its maker.
    pub fn actor(&self) -> &Actor {
        &self.actors[0]
    }

    /// The operations that one of its operations replaces.
    pub fn preds(&self, operation: &Operation) -> &[OpRef] {
        let first = operation.first_pred as usize;
        &self.preds[first..first + operation.pred_count as usize]
    }

    /// The counter of its last operation.
    pub fn max_op(&self) -> u64 {
        (self.start_op + self.operations.len() as u64).saturating_sub(1)
    }

    pub(super) fn new(actors: Vec<Actor>, seq: u64, start_op: u64) -> Self {
        Self {
            actors,
            seq,
            start_op,
            time: 0,
            message: None,
            deps: Vec::new(),
            operations: Vec::new(),
            preds: Vec::new(),
        }
    }

    /// Adds an operation.
    pub(super) fn push(&mut self, object: Option<OpRef>, key: OpKey, insert: bool, action: Action, preds: &[OpRef]) {
        let first_pred = self.preds.len() as u32;
        self.preds.extend_from_slice(preds);
        let pred_count = preds.len() as u32;
        self.operations.push(Operation {
            object,
            key,
            insert,
            action,
            first_pred,
            pred_count,
        });
    }

    /// Gives every actor another number.
    pub(super) fn renumber(&mut self, mut number: impl FnMut(u32) -> u32) {
        let mut renumber = |id: &mut OpRef| id.actor = number(id.actor);
        self.preds.iter_mut().for_each(&mut renumber);
        for operation in &mut self.operations {
            operation.object.iter_mut().for_each(&mut renumber);
            if let OpKey::Element(id) = &mut operation.key {
                renumber(id);
            }
        }
    }

    /// Orders the predecessors of each operation as the format demands: by counter, then actor.
    pub(super) fn sort_preds(&mut self) {
        let Self {
            operations,
            preds,
            actors,
            ..
        } = self;
        for operation in operations.iter().filter(|o| o.pred_count > 1) {
            let first = operation.first_pred as usize;
            preds[first..first + operation.pred_count as usize]
                .sort_by(|a, b| (a.counter, &actors[a.actor as usize]).cmp(&(b.counter, &actors[b.actor as usize])));
        }
    }
}

/// The hash that names a change with these contents.
fn hash(contents: &[u8]) -> ChangeHash {
    use sha2::Digest;
    let mut head = vec![1];
    leb128::write_unsigned(&mut head, contents.len() as u64);
    let mut hasher = sha2::Sha256::new();
    hasher.update(&head);
    hasher.update(contents);
    ChangeHash(hasher.finalize().into())
}
