//! Folds changes into a document, operation by operation, by Automerge's rules.
//!
//! - A put or an object replaces the operations that it names as predecessors; those it doesn't name are concurrent and stay.
//! - A counter adds the increments that name it.
//! - A sequence element stands after the one it names, behind later-numbered elements inserted at the same place (RGA).

use smallvec::SmallVec;

use super::{
    Actor, ActorClock, Change, Creation, DELETED, DecodedChange, Document, Key, OpId, Origin, Place, Scalar,
    codec::{Action, OpKey, OpRef, Operation, Value},
    object::{Object, ObjectContent},
    op::{Op, Ops, Packed},
    root::add,
    scalar::Kind,
    sequence::Element,
};
use crate::{
    ids::{ChangeHash, Timestamp},
    schema::{Column, Table},
};

/// Where a change comes from.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its transaction's place in the stream.
    pub place: Place,
    /// Its transaction's time.
    pub time: Timestamp,
}

/// Why a change cannot be folded into a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The actor's change with this seq is in the document already, or another one is missing before it.
    #[error("change {found} of its actor, where change {expected} comes next")]
    Sequence {
        /// The next seq.
        expected: u64,
        /// The change's seq.
        found: u64,
    },
    /// Its operations are not numbered as they must be: after its actor's and those that it depends on, and with none left
    /// out, so that there are always numbers left.
    #[error("operations are numbered from {found}, which does not follow the document's")]
    Numbering {
        /// The change's first counter.
        found: u32,
    },
    /// An operation on an object, an element or an actor that does not exist.
    #[error("an operation refers to something that does not exist")]
    UnknownReference,
    /// More columns of newer schemas than a row can carry.
    #[error("the row has too many unknown columns")]
    TooManyKeys,
    /// Folding it would take unreasonably long: see [`Work`].
    #[error("the change is too much work: write it in smaller parts")]
    TooMuchWork,
}

/// How much one change may still make the fold search and move. What people write takes a tiny part of it; what takes more is
/// made to hold up the server.
#[derive(Debug)]
pub(super) struct Work {
    left: usize,
}

impl Work {
    /// About a tenth of a second.
    const LIMIT: usize = 50_000_000;

    pub(super) fn charge(&mut self, steps: usize) -> Result<(), FoldError> {
        self.left = self.left.checked_sub(steps).ok_or(FoldError::TooMuchWork)?;
        Ok(())
    }
}

impl Document {
    /// True if the actor's change with this seq is folded already.
    pub fn contains(&self, actor: &Actor, seq: u64) -> bool {
        self.actors.iter().any(|a| a.actor == *actor && a.seq >= seq)
    }

    /// The seq of an actor's next change.
    pub fn next_seq(&self, actor: &Actor) -> u64 {
        self.actors.iter().find(|a| a.actor == *actor).map_or(1, |a| a.seq + 1)
    }

    /// Folds one change. On an error the document is as it was before only if the caller kept a copy.
    pub fn fold(&mut self, table: &Table, decoded: &DecodedChange, arrival: Arrival) -> Result<(), FoldError> {
        let change = &decoded.change;
        let expected = self.next_seq(change.actor());
        if change.seq != expected {
            return Err(FoldError::Sequence {
                expected,
                found: change.seq,
            });
        }
        let builds_on_all = self.heads.iter().all(|head| change.deps.contains(head));
        let before = if builds_on_all {
            self.max_op
        } else {
            self.max_op_of(change.actor())
        };
        if change.start_op <= before || change.start_op - 1 > self.max_op {
            return Err(FoldError::Numbering { found: change.start_op });
        }
        self.intern(change);
        // An expansion comes with whichever transaction arrives first, so it leaves no trace of maker or time.
        let somebodys = change.actor().device().is_some();
        let mut folding = Folding {
            table,
            actors: change.actors.iter().map(|actor| self.actor_index(actor)).collect(),
            hash: decoded.hash,
            arrival: somebodys.then_some(arrival),
            origin: None,
            touched_at: somebodys.then_some(arrival.time),
            preds: SmallVec::new(),
            last_column: None,
            work: Work { left: Work::LIMIT },
        };
        let operations = change.operations();
        self.reserve(operations.len(), change.values_len());
        for (counter, op) in (change.start_op..).zip(operations) {
            folding.operation(self, counter, &op)?;
        }
        let Folding {
            touched_at, mut work, ..
        } = folding;
        self.settle_sequences(&mut work)?;
        self.updated_at = self.updated_at.max(touched_at);
        self.forget_deletions(&mut work)?;
        let max_op = change.max_op();
        self.note_creation(change, decoded.hash);
        self.max_op = self.max_op.max(max_op);
        self.heads.retain(|head| !change.deps.contains(head));
        if let Err(i) = self.heads.binary_search(&decoded.hash) {
            self.heads.insert(i, decoded.hash);
        }
        self.tidy();
        Ok(())
    }

    fn note_creation(&mut self, change: &Change, hash: ChangeHash) {
        let max_op = change.max_op();
        let mut other = Creation { hash, max_op };
        match &mut self.creation {
            None => self.creation = Some(other),
            Some(first) if change.deps.is_empty() => {
                if other < *first {
                    std::mem::swap(first, &mut other);
                }
                if let Err(place) = self.also.binary_search(&other) {
                    self.also.insert(place, other);
                }
            }
            Some(_) => {}
        }
    }

    pub(super) fn actor_index(&self, actor: &Actor) -> Option<u32> {
        self.actors.iter().position(|a| a.actor == *actor).map(|i| i as u32)
    }

    fn max_op_of(&self, actor: &Actor) -> u32 {
        self.actors.iter().find(|a| a.actor == *actor).map_or(0, |a| a.max_op)
    }

    fn intern(&mut self, change: &Change) {
        let (seq, max_op) = (change.seq, change.max_op());
        match self.actors.iter_mut().find(|a| a.actor == *change.actor()) {
            Some(clock) => (clock.seq, clock.max_op) = (seq, max_op),
            None => self.actors.push(ActorClock {
                actor: change.actor().clone(),
                seq,
                max_op,
            }),
        }
    }

    /// The number of an origin: see [`Op`].
    pub(super) fn intern_origin(&mut self, origin: Origin) -> u32 {
        let place = self.origins.iter().rposition(|known| *known == origin);
        place.unwrap_or_else(|| {
            self.origins.push(origin);
            self.origins.len() - 1
        }) as u32
            + 1
    }

    fn settle_sequences(&mut self, work: &mut Work) -> Result<(), FoldError> {
        for object in &mut self.objects {
            if let ObjectContent::Sequence(sequence) = &mut object.content {
                sequence.settle(work)?;
            }
        }
        Ok(())
    }
}

/// What one change's operations share.
struct Folding<'a> {
    table: &'a Table,
    /// For each of the change's actors, its number in the document, if it ever wrote there.
    actors: SmallVec<[Option<u32>; 4]>,
    hash: ChangeHash,
    arrival: Option<Arrival>,
    /// The number of this change's origin, once a column needs it.
    origin: Option<u32>,
    /// The transaction's time, unless the change says itself when its row was touched (imports do).
    touched_at: Option<Timestamp>,
    /// The present operation's predecessors, in the document's terms.
    preds: SmallVec<[OpId; 4]>,
    /// Changes mostly write a row's columns in order.
    last_column: Option<&'a Column>,
    work: Work,
}

impl Folding<'_> {
    /// An operation's id in the document's terms.
    fn resolve(&self, id: OpRef) -> Result<OpId, FoldError> {
        let actor = self.actors[id.actor as usize].ok_or(FoldError::UnknownReference)?;
        Ok(OpId {
            counter: id.counter,
            actor,
        })
    }

    /// The id of what an operation builds on: whatever that is, it was there before.
    fn earlier(&self, id: OpRef, counter: u32) -> Result<OpId, FoldError> {
        if id.counter < counter {
            self.resolve(id)
        } else {
            Err(FoldError::UnknownReference)
        }
    }

    fn operation(&mut self, document: &mut Document, counter: u32, op: &Operation<'_>) -> Result<(), FoldError> {
        let id = self.resolve(OpRef { counter, actor: 0 })?;
        self.preds.clear();
        for pred in op.preds {
            let pred = self.earlier(*pred, counter)?;
            self.preds.push(pred);
        }
        let effect = match op.action {
            Action::Set(value) => Effect::Set(New::Value(value)),
            Action::Make(kind) => Effect::Set(New::Object(Scalar::Object(kind))),
            Action::Increment(by) => Effect::Add(by),
            Action::Delete | Action::Mark => Effect::Remove,
        };
        match (op.object, op.key) {
            (None, OpKey::Map(name)) => self.root(document, name, id, &effect)?,
            (None, _) => return Err(FoldError::UnknownReference),
            (Some(object), _) => {
                let object = self.earlier(object, counter)?;
                self.inside(document, object, op, id, &effect)?;
            }
        }
        if let Action::Make(kind) = op.action {
            let place = document.find_object(id).unwrap_or_else(|place| place);
            self.work.charge(document.objects.len() - place)?;
            document.objects.insert(place, Object::new(id, kind));
        }
        Ok(())
    }

    fn root(&mut self, document: &mut Document, name: &str, id: OpId, effect: &Effect<'_>) -> Result<(), FoldError> {
        let column = self.table.column_after(self.last_column, name);
        let key = match column {
            _ if name == DELETED => Key::Deleted,
            Some(column) => Key::Column(column.id),
            None => Key::Unknown(name),
        };
        if let (Some("updated_at"), Effect::Set(New::Value(value))) = (column.map(|c| c.name), effect) {
            self.touched_at = match value.scalar() {
                Scalar::Int(t) => Some(Timestamp(t)),
                _ => None,
            };
        }
        if let (Key::Deleted, Effect::Set(New::Value(value))) = (key, effect)
            && value.scalar() == Scalar::Bool(true)
        {
            document.deleting.push((id, self.hash));
        }
        let keeps = column.is_some_and(Column::keeps_origin);
        let origin = if keeps { self.origin_in(document) } else { 0 };
        self.last_column = column.or(self.last_column);
        document.apply_to_root(key, id, origin, effect, &self.preds, &mut self.work)
    }

    fn origin_in(&mut self, document: &mut Document) -> u32 {
        let Some(Arrival { place, time }) = self.arrival else {
            return 0;
        };
        *self
            .origin
            .get_or_insert_with(|| document.intern_origin(Origin { place, time }))
    }

    fn inside(
        &mut self,
        document: &mut Document,
        object: OpId,
        op: &Operation<'_>,
        id: OpId,
        effect: &Effect<'_>,
    ) -> Result<(), FoldError> {
        let place = document.find_object(object).map_err(|_| FoldError::UnknownReference)?;
        let element = match op.key {
            OpKey::Element(named) => Some(self.earlier(named, id.counter)?),
            _ => None,
        };
        let Document {
            actors,
            objects,
            values,
            unused,
            ..
        } = document;
        let mut store = Store { values, unused };
        match (&mut objects[place].content, op.key) {
            (ObjectContent::Map(entries), OpKey::Map(name)) => {
                entry(entries, name, id, effect, &self.preds, &mut store, &mut self.work)
            }
            (ObjectContent::Sequence(sequence), OpKey::Head | OpKey::Element(_)) if op.insert => {
                let mut live = Ops::new();
                apply(&mut live, id, effect, &[], &mut store, &mut self.work)?;
                sequence.insert(element, Element { id, live }, actors, &mut self.work)
            }
            (ObjectContent::Sequence(sequence), OpKey::Element(_)) => {
                let element = element.ok_or(FoldError::UnknownReference)?;
                let live = sequence.live(element, &mut self.work)?;
                apply(live, id, effect, &self.preds, &mut store, &mut self.work)
            }
            _ => Err(FoldError::UnknownReference),
        }
    }
}

/// What an operation does to the live operations of its key.
pub(super) enum Effect<'a> {
    Set(New<'a>),
    Add(i64),
    Remove,
}

/// What an operation sets.
#[derive(Clone, Copy)]
pub(super) enum New<'a> {
    Value(Value<'a>),
    Object(Scalar<'static>),
}

impl New<'_> {
    /// Puts it behind the other values.
    pub(super) fn store(&self, values: &mut Vec<u8>) -> Packed {
        match self {
            New::Value(value) => value.copy(values),
            New::Object(scalar) => Packed::push(values, *scalar),
        }
    }
}

/// Where values are kept.
struct Store<'a> {
    values: &'a mut Vec<u8>,
    unused: &'a mut usize,
}

fn apply(
    live: &mut Ops,
    id: OpId,
    effect: &Effect<'_>,
    preds: &[OpId],
    store: &mut Store<'_>,
    work: &mut Work,
) -> Result<(), FoldError> {
    work.charge(live.len() * preds.len())?;
    if let Effect::Add(by) = effect {
        for counter in live.iter_mut().filter(|l| preds.contains(&l.id)) {
            counter.value = add(store.values, store.unused, counter.value, *by);
        }
    }
    if !preds.is_empty() {
        live.retain(|l| {
            let counted = matches!(effect, Effect::Add(_)) && l.value.kind() == Kind::COUNTER;
            let keep = counted || !preds.contains(&l.id);
            if !keep {
                *store.unused += l.value.len();
            }
            keep
        });
    }
    if let Effect::Set(value) = effect {
        let value = value.store(store.values);
        live.push(Op { id, origin: 0, value });
    }
    Ok(())
}

fn entry(
    entries: &mut Vec<(Box<str>, Ops)>,
    name: &str,
    id: OpId,
    effect: &Effect<'_>,
    preds: &[OpId],
    store: &mut Store<'_>,
    work: &mut Work,
) -> Result<(), FoldError> {
    let i = match entries.binary_search_by(|(key, _)| (**key).cmp(name)) {
        Ok(i) => i,
        Err(i) => {
            work.charge((entries.len() - i) / 2)?;
            entries.insert(i, (name.into(), Ops::new()));
            i
        }
    };
    apply(&mut entries[i].1, id, effect, preds, store, work)?;
    if entries[i].1.is_empty() {
        work.charge((entries.len() - i) / 2)?;
        entries.remove(i);
    }
    Ok(())
}
