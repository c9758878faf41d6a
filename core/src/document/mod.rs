//! A row as an Automerge document, folded.
//!
//! A [`Document`] is what a row's changes add up to: for every key the live operations, as Automerge defines them. It is
//! folded from the changes' operations directly ([`fold`]), never loads the Automerge library's own document, and is
//! small enough to be stored beside the row. New changes are made from it alone ([`write`]).
//!
//! ```text
//!  change bytes ── decode ──► operations ── fold ──► Document ── value() ──► the row's columns
//!                                                      │
//!  what a person wrote ────────────── write ◄──────────┘──► change bytes (deps = heads, preds = live operations)
//! ```
//!
//! *Architecture invariant*: folding the same changes in any causal order gives the same values, and its values,
//! conflicts, counters and heads are those of the Automerge library. The property tests hold it to that.

pub mod codec;
pub mod expand;
pub mod fold;
pub mod object;
pub mod write;

mod op;
mod root;
mod scalar;
mod sequence;
mod stored;

use minicbor::{Decode, Encode};
use smallvec::SmallVec;
use uuid::Uuid;

pub use codec::{Change, DecodeError, DecodedChange};
pub use fold::FoldError;
pub use object::Contents;
pub use op::{Live, LiveOp, Op};
pub use scalar::{ObjectKind, Scalar};

use object::Object;

use crate::{
    ids::{ChangeHash, DeviceId, RowId, Seq, Timestamp},
    schema::{Column, ColumnId, Merge, Table, TableId},
    value::Value,
};

/// The key that marks a row as deleted.
pub const DELETED: &str = "_deleted";

/// Names a document: a row's, or that of its restricted columns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct DocumentId {
    /// The row's table.
    #[n(0)]
    pub table: TableId,
    /// Which part of the row.
    #[n(1)]
    pub facet: Facet,
    /// The row.
    #[n(2)]
    pub row: RowId,
}

/// A row is one document, and a second one if it has columns that only some may see: those then travel apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Facet {
    /// The row itself.
    #[n(0)]
    Main,
    /// Its restricted columns.
    #[n(1)]
    Restricted,
}

impl DocumentId {
    /// The document of a row.
    pub fn main(table: TableId, row: RowId) -> Self {
        Self {
            table,
            facet: Facet::Main,
            row,
        }
    }

    /// One number for table and facet, as the stores' keys use it.
    pub fn part(&self) -> i16 {
        i16::from(self.table.0) + if self.facet == Facet::Restricted { 256 } else { 0 }
    }

    /// The inverse of [`DocumentId::part`].
    pub fn from_part(part: i16, row: RowId) -> Self {
        let facet = if part >= 256 { Facet::Restricted } else { Facet::Main };
        Self {
            table: TableId((part & 0xff) as u8),
            facet,
            row,
        }
    }
}

/// Who made a change, in Automerge's terms: 16 bytes of device and 4 that differ with each opening of its store, so that a
/// store restored from a backup never uses an (actor, seq) again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Actor(SmallVec<[u8; 20]>);

impl Actor {
    /// The actor of a device since it opened its store.
    pub fn new(device: DeviceId, incarnation: u32) -> Self {
        let mut bytes = SmallVec::from_slice(device.0.as_bytes());
        bytes.extend_from_slice(&incarnation.to_be_bytes());
        Self(bytes)
    }

    /// Its bytes, as Automerge has them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The device, if a device's store made this actor.
    pub fn device(&self) -> Option<DeviceId> {
        (self.0.len() == 20)
            .then(|| Uuid::from_slice(&self.0[..16]).ok().map(DeviceId))
            .flatten()
    }
}

impl From<&[u8]> for Actor {
    fn from(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }
}

impl From<Vec<u8>> for Actor {
    fn from(bytes: Vec<u8>) -> Self {
        Self(SmallVec::from_vec(bytes))
    }
}

impl<C> Encode<C> for Actor {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Actor {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self::from(d.bytes()?))
    }
}

/// An operation's id. The actor is an index into [`Document::actors`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpId {
    /// Automerge's Lamport counter.
    pub counter: u32,
    /// Index into [`Document::actors`].
    pub actor: u32,
}

/// A root key of the document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key<'a> {
    /// A column of this schema.
    Column(ColumnId),
    /// [`DELETED`].
    Deleted,
    /// A column of a newer schema, carried along untouched.
    Unknown(&'a str),
}

/// The transaction that an operation came with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Origin {
    /// Its place in the stream, once it has one.
    #[n(0)]
    pub place: Place,
    /// When its maker says it was made.
    #[n(1)]
    pub time: Timestamp,
}

/// A place in the stream, or none yet. A transaction without one comes after all that have one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// The server gave it this seq.
    Stream(Seq),
    /// It waits in this device's outbox.
    Pending,
}

impl<C> Encode<C> for Place {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Stream(seq) => e.u64(seq.0)?.ok(),
            Self::Pending => e.null()?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Place {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        if d.datatype()? == minicbor::data::Type::Null {
            d.null()?;
            return Ok(Self::Pending);
        }
        Ok(Self::Stream(Seq(d.u64()?)))
    }
}

/// An actor of a document and how far its changes are folded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActorClock {
    /// The actor.
    pub actor: Actor,
    /// The seq of its last change.
    pub seq: u64,
    /// The counter of its last operation.
    pub max_op: u32,
}

/// The first change of a document, on which deterministic changes build.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Creation {
    /// Its hash.
    pub hash: ChangeHash,
    /// The counter of its last operation.
    pub max_op: u32,
}

/// What a document's changes add up to. See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The changes that no other depends on, sorted.
    pub heads: Vec<ChangeHash>,
    /// All actors that wrote to it, in order of arrival.
    pub actors: Vec<ActorClock>,
    /// The highest operation counter.
    pub max_op: u32,
    /// The live operations of the root map, sorted by key: see [`root`].
    root: Vec<(u16, Op)>,
    /// The keys that this schema doesn't know.
    unknown: Vec<Box<str>>,
    /// The live operations' values, and some that are live no more.
    values: Vec<u8>,
    /// How many bytes of `values` are not in use.
    unused: usize,
    /// The transactions that live operations came with, each once.
    origins: Vec<Origin>,
    /// Text and JSON objects inside, sorted by the operations that made them.
    objects: Vec<Object>,
    /// The live operations that wrote [`DELETED`] = true, and their changes.
    deleting: Vec<(OpId, ChangeHash)>,
    /// What `updated_at` shows: the latest time of a transaction that touched the row.
    pub updated_at: Option<Timestamp>,
    /// The first change. Two people may make the same row, since its key says which it is: then it is the one with the
    /// smaller hash, whichever came first.
    pub creation: Option<Creation>,
    /// The other first changes, sorted.
    also: Vec<Creation>,
    /// Columns whose value this row claims in vain: another row had it first. Set by `ingest`.
    pub lost_claims: Vec<ColumnId>,
}

/// Equal in all that is kept.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Document {
    /// True before the first change.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// All first changes: one, unless several people made the same row.
    pub fn creations(&self) -> impl Iterator<Item = &Creation> {
        self.creation.iter().chain(&self.also)
    }

    /// True if the row is deleted and nobody has written to it without knowing of that.
    pub fn is_deleted(&self) -> bool {
        !self.deleting.is_empty()
            && self
                .heads
                .iter()
                .all(|head| self.deleting().any(|change| change == *head))
    }

    /// The changes that wrote a live [`DELETED`] = true.
    pub fn deleting(&self) -> impl Iterator<Item = ChangeHash> {
        self.deleting.iter().map(|(_, change)| *change)
    }

    /// True if somebody deleted it, though others may still write to it.
    pub fn has_deletion(&self) -> bool {
        !self.deleting.is_empty()
    }

    /// True if nobody differs about it: every key has one live operation, nobody deleted it, and it has what it claims.
    pub fn is_agreed(&self) -> bool {
        let once = self.root.windows(2).all(|pair| pair[0].0 < pair[1].0);
        once && !self.has_deletion() && self.lost_claims.is_empty()
    }

    /// The columns of a table in order, each with what it shows. Of a document that is [agreed](Self::is_agreed): in one walk
    /// through both.
    pub(crate) fn agreed<'d>(&'d self, table: &'d Table) -> impl Iterator<Item = (&'d Column, Value, Option<Origin>)> {
        let mut ops = self.root.iter().peekable();
        table.columns.iter().map(move |column| {
            while ops.next_if(|(key, _)| *key < column.id.0).is_some() {}
            let found = ops.next_if(|(key, _)| *key == column.id.0);
            let op = found.map(|(_, op)| self.view(op));
            let value = match (column.merge, op) {
                (Merge::Server, _) => Value::Null,
                (Merge::Derived, _) => self.updated_at.map_or(Value::Null, Value::Timestamp),
                (_, Some(op)) => self.show(column, op),
                (_, None) => Value::Null,
            };
            (column, value, op.and_then(|op| op.origin))
        })
    }

    /// The live operations of a column.
    pub fn live(&self, column: ColumnId) -> Live<'_> {
        self.live_of(Key::Column(column))
    }

    /// What is shown of an operation.
    pub fn view(&self, op: &Op) -> LiveOp<'_> {
        LiveOp {
            id: op.id,
            value: op.value.scalar(&self.values),
            origin: op.origin.checked_sub(1).map(|i| self.origins[i as usize]),
        }
    }

    /// Automerge's order of operations: counter, then actor.
    pub fn order(&self, id: OpId) -> (u32, &Actor) {
        (id.counter, self.actor(id))
    }

    /// The actor that made an operation.
    pub fn actor(&self, id: OpId) -> &Actor {
        &self.actors[id.actor as usize].actor
    }

    /// The operation that a column shows: the latest in Automerge's order, or, where the first in the stream has the claim
    /// (`first_in_stream`), the earliest.
    pub fn winner(&self, column: &Column, first_in_stream: bool) -> Option<LiveOp<'_>> {
        let live = self.live(column.id);
        if live.len() < 2 {
            return live.only();
        }
        if first_in_stream {
            let place = |op: &LiveOp<'_>| op.origin.map_or(Place::Pending, |o| o.place);
            return live.min_by_key(|op| (place(op), self.order(op.id)));
        }
        live.max_by_key(|op| self.order(op.id))
    }

    /// What a column shows.
    pub fn value(&self, column: &Column, first_in_stream: bool) -> Value {
        if column.merge == Merge::Derived {
            return self.updated_at.map_or(Value::Null, Value::Timestamp);
        }
        self.winner(column, first_in_stream)
            .map_or(Value::Null, |op| self.show(column, op))
    }

    /// The value that a live operation means for its column.
    pub fn show(&self, column: &Column, op: LiveOp<'_>) -> Value {
        match op.value {
            Scalar::Object(kind) => self.render(op.id, kind, column),
            other => other.to_value(column),
        }
    }

    /// The columns that this document holds, of a table.
    pub fn columns_of(table: &Table, facet: Facet) -> impl Iterator<Item = &Column> {
        table
            .columns
            .iter()
            .filter(move |c| c.merge != Merge::Server && c.restricted == (facet == Facet::Restricted))
    }
}
