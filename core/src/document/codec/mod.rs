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
pub(super) mod leb128;

pub(super) use encode::encode;

use std::sync::OnceLock;

use smallvec::SmallVec;

use super::{Actor, ObjectKind, Scalar, op::Packed, scalar::Kind};
use crate::ids::ChangeHash;

/// The largest change taken, in bytes, packed or not.
pub const MAX_CHANGE_BYTES: usize = 4 << 20;

/// The most operations one change may have.
pub const MAX_OPERATIONS: usize = 250_000;

/// The longest key of a map, in bytes.
pub const MAX_KEY_BYTES: usize = 1_024;

/// Contents longer than this are packed. An insert or update of a row is not: its names and values hardly shrink alone, a push or a
/// page of a pull is packed as a whole, and packing takes longer than all else that is done to a change.
const PACK_FROM: usize = 2_048;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// A change's contents.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Its maker, then all other actors that its operations name, in order.
    pub actors: SmallVec<[Actor; 1]>,
    /// Which of its maker's changes to the document it is, from 1.
    pub seq: u64,
    /// The counter of its first operation.
    pub start_op: u32,
    /// Seconds since 1970, as its maker says.
    pub time: i64,
    /// Its maker's remark.
    pub message: Option<String>,
    /// The changes that it builds on.
    pub deps: SmallVec<[ChangeHash; 1]>,
    /// Its operations, numbered from `start_op`.
    operations: Vec<PackedOperation>,
    /// The operations' predecessors, one after the other.
    preds: SmallVec<[OpRef; 2]>,
    /// What the operations' keys are made of.
    keys: String,
    /// The operations' values, one after the other.
    values: Vec<u8>,
    /// The operations that mark a text.
    marks: Vec<Mark>,
}

/// An operation's id as a change names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpRef {
    /// Lamport counter.
    pub counter: u32,
    /// Index into [`Change::actors`].
    pub actor: u32,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The object that it is on; `None` for the root map.
    pub object: Option<OpRef>,
    /// Where in the object.
    pub key: OpKey<'a>,
    /// Makes a new element after `key`.
    pub insert: bool,
    /// What it does.
    pub action: Action<'a>,
    /// The operations that it replaces, adds to or removes.
    pub preds: &'a [OpRef],
}

/// Where in its object an operation acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpKey<'a> {
    /// A key of a map.
    Map(&'a str),
    /// The start of a sequence.
    Head,
    /// An element of a sequence.
    Element(OpRef),
}

/// What an operation does.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// Sets a plain value.
    Set(Value<'a>),
    /// Makes an object.
    Make(ObjectKind),
    /// Removes its predecessors.
    Delete,
    /// Adds to its predecessors.
    Increment(i64),
    /// Begins or ends a mark of a text; Holdfast carries marks along and does not show them.
    Mark,
}

/// A plain value in a change.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    value: Packed,
    buffer: &'a [u8],
}

impl<'a> Value<'a> {
    /// What it says.
    pub fn scalar(&self) -> Scalar<'a> {
        self.value.scalar(self.buffer)
    }

    /// Puts it behind other values.
    pub(super) fn copy(&self, to: &mut Vec<u8>) -> Packed {
        self.value.copy(self.buffer, to)
    }
}

/// An operation as a change keeps it: its key and value are places in the change's buffers.
#[derive(Clone, Copy, PartialEq, Debug)]
struct PackedOperation {
    object: Option<OpRef>,
    key: PackedKey,
    insert: bool,
    action: PackedAction,
    first_pred: u32,
    pred_count: u32,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum PackedKey {
    /// From one byte of the keys to before another.
    Map(u32, u32),
    Head,
    Element(OpRef),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum PackedAction {
    Set(Packed),
    Make(ObjectKind),
    Delete,
    Increment(Packed),
    /// Its place in the change's marks.
    Mark(u32),
}

/// What a mark says: only kept for the change to be written again.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Mark {
    value: Packed,
    /// From one byte of the keys to before another; none if the mark ends here.
    name: Option<(u32, u32)>,
    expand: bool,
}

/// A change, decoded and its hash computed.
#[derive(Clone, Debug)]
pub struct DecodedChange {
    /// Its name: SHA-256 of its contents.
    pub hash: ChangeHash,
    /// What it says.
    pub change: Change,
    canonical: OnceLock<bool>,
}

impl DecodedChange {
    /// A change of this name.
    pub(super) fn new(hash: ChangeHash, change: Change) -> Self {
        Self {
            hash,
            change,
            canonical: OnceLock::new(),
        }
    }

    /// True if an Automerge library that makes the change again from its operations, as it does when it saves a document, comes
    /// to the same hash. Worked out when it is first asked for.
    pub fn is_canonical(&self) -> bool {
        let work_out = || self.change.actors_are_canonical() && encode::hash_of(&self.change) == self.hash;
        *self.canonical.get_or_init(work_out)
    }
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

    /// True if it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// How many bytes its values have together.
    pub(super) fn values_len(&self) -> usize {
        self.values.len()
    }

    /// Its operations, in order.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = Operation<'_>> {
        self.operations.iter().map(|operation| self.view(operation))
    }

    fn view(&self, operation: &PackedOperation) -> Operation<'_> {
        let first = operation.first_pred as usize;
        Operation {
            object: operation.object,
            key: match operation.key {
                PackedKey::Map(start, end) => OpKey::Map(&self.keys[start as usize..end as usize]),
                PackedKey::Head => OpKey::Head,
                PackedKey::Element(id) => OpKey::Element(id),
            },
            insert: operation.insert,
            action: match operation.action {
                PackedAction::Set(value) => Action::Set(Value {
                    value,
                    buffer: &self.values,
                }),
                PackedAction::Make(kind) => Action::Make(kind),
                PackedAction::Delete => Action::Delete,
                PackedAction::Increment(by) => match by.scalar(&self.values) {
                    Scalar::Int(by) => Action::Increment(by),
                    _ => unreachable!("BUG: an increment is kept as an integer"),
                },
                PackedAction::Mark(_) => Action::Mark,
            },
            preds: &self.preds[first..first + operation.pred_count as usize],
        }
    }

    /// The counter of its last operation.
    pub fn max_op(&self) -> u32 {
        // Reading and building see to it that this fits.
        (self.start_op - 1) + self.operations.len() as u32
    }

    pub(super) fn new(actors: SmallVec<[Actor; 1]>, seq: u64, start_op: u32) -> Self {
        Self {
            actors,
            seq,
            start_op,
            time: 0,
            message: None,
            deps: SmallVec::new(),
            operations: Vec::new(),
            preds: SmallVec::new(),
            keys: String::new(),
            values: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Adds an operation.
    pub(super) fn push(
        &mut self,
        object: Option<OpRef>,
        key: OpKey<'_>,
        insert: bool,
        action: New<'_>,
        preds: &[OpRef],
    ) {
        let first_pred = self.preds.len() as u32;
        self.preds.extend_from_slice(preds);
        let key = match key {
            OpKey::Map(name) => {
                let start = self.keys.len() as u32;
                self.keys.push_str(name);
                PackedKey::Map(start, self.keys.len() as u32)
            }
            OpKey::Head => PackedKey::Head,
            OpKey::Element(id) => PackedKey::Element(id),
        };
        let action = match action {
            New::Set(scalar) => PackedAction::Set(Packed::push(&mut self.values, scalar)),
            New::Make(kind) => PackedAction::Make(kind),
            New::Delete => PackedAction::Delete,
            New::Increment(by) => PackedAction::Increment(Packed::push(&mut self.values, Scalar::Int(by))),
        };
        self.operations.push(PackedOperation {
            object,
            key,
            insert,
            action,
            first_pred,
            pred_count: preds.len() as u32,
        });
    }

    /// True if the other actors are in order, each once and each named by an operation.
    fn actors_are_canonical(&self) -> bool {
        let others = &self.actors[1..];
        if others.is_empty() {
            return true;
        }
        let objects = self.operations.iter().filter_map(|op| op.object);
        let keys = self.operations.iter().filter_map(|op| match op.key {
            PackedKey::Element(id) => Some(id),
            _ => None,
        });
        let mut named = vec![false; self.actors.len()];
        let all = objects.chain(keys).chain(self.preds.iter().copied());
        all.for_each(|id| named[id.actor as usize] = true);
        named[1..].iter().all(|named| *named)
            && others.windows(2).all(|pair| pair[0] < pair[1])
            && !others.contains(self.actor())
    }

    /// Gives every actor another number.
    pub(super) fn renumber(&mut self, mut number: impl FnMut(u32) -> u32) {
        let mut renumber = |id: &mut OpRef| id.actor = number(id.actor);
        self.preds.iter_mut().for_each(&mut renumber);
        for operation in &mut self.operations {
            operation.object.iter_mut().for_each(&mut renumber);
            if let PackedKey::Element(id) = &mut operation.key {
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
            preds[first..first + operation.pred_count as usize].sort_unstable_by(|a, b| {
                (a.counter, &actors[a.actor as usize]).cmp(&(b.counter, &actors[b.actor as usize]))
            });
        }
    }
}

/// What a new operation does.
#[derive(Clone, Copy, Debug)]
pub(super) enum New<'a> {
    Set(Scalar<'a>),
    Make(ObjectKind),
    Delete,
    Increment(i64),
}

/// The hash that names a change with these contents.
fn hash(contents: &[u8]) -> ChangeHash {
    use sha2::Digest;
    let mut head = SmallVec::<[u8; 11]>::new();
    head.push(1);
    leb128::write_unsigned(&mut head, contents.len() as u64);
    let mut hasher = sha2::Sha256::new();
    hasher.update(&head);
    hasher.update(contents);
    ChangeHash(hasher.finalize().into())
}
