//! Folds changes into a document, operation by operation, by Automerge's rules.
//!
//! - A put or an object replaces the operations that it names as predecessors; those it doesn't name are concurrent and stay.
//! - A counter adds the increments that name it.
//! - A sequence element stands after the one it names, behind later-numbered elements inserted at the same place (RGA).

use super::{
    Actor, ActorClock, Change, Creation, DELETED, DecodedChange, Document, Element, Key, LiveOp, Object, ObjectContent,
    OpId, Origin, Place, Scalar,
    codec::{Action, OpKey, OpRef, Operation},
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
        found: u64,
    },
    /// An operation on an object, an element or an actor that does not exist.
    #[error("an operation refers to something that does not exist")]
    UnknownReference,
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
            change,
            actors: change.actors.iter().map(|actor| self.actor_index(actor)).collect(),
            hash: decoded.hash,
            origin: somebodys.then_some(Origin {
                place: arrival.place,
                time: arrival.time,
            }),
            touched_at: somebodys.then_some(arrival.time),
            preds: Vec::new(),
        };
        for (counter, op) in (change.start_op..).zip(&change.operations) {
            folding.operation(self, counter, op)?;
        }
        self.updated_at = self.updated_at.max(folding.touched_at);
        self.root.retain(|(_, live)| !live.is_empty());
        if !self
            .live_of(&Key::Deleted)
            .iter()
            .any(|op| op.value == Scalar::Bool(true))
        {
            self.deleting.clear();
        }
        let max_op = change.max_op();
        self.creation.get_or_insert(Creation {
            hash: decoded.hash,
            max_op,
        });
        self.max_op = self.max_op.max(max_op);
        self.heads.retain(|head| !change.deps.contains(head));
        if let Err(i) = self.heads.binary_search(&decoded.hash) {
            self.heads.insert(i, decoded.hash);
        }
        Ok(())
    }

    fn actor_index(&self, actor: &Actor) -> Option<u32> {
        self.actors.iter().position(|a| a.actor == *actor).map(|i| i as u32)
    }

    fn max_op_of(&self, actor: &Actor) -> u64 {
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
}

/// What one change's operations share.
struct Folding<'a> {
    table: &'a Table,
    change: &'a Change,
    /// For each of the change's actors, its number in the document, if it ever wrote there.
    actors: Vec<Option<u32>>,
    hash: ChangeHash,
    origin: Option<Origin>,
    /// The transaction's time, unless the change says itself when its row was touched (imports do).
    touched_at: Option<Timestamp>,
    /// The present operation's predecessors, in the document's terms.
    preds: Vec<OpId>,
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
    fn earlier(&self, id: OpRef, counter: u64) -> Result<OpId, FoldError> {
        if id.counter < counter {
            self.resolve(id)
        } else {
            Err(FoldError::UnknownReference)
        }
    }

    fn operation(&mut self, document: &mut Document, counter: u64, op: &Operation) -> Result<(), FoldError> {
        let id = self.resolve(OpRef { counter, actor: 0 })?;
        self.preds.clear();
        for pred in self.change.preds(op) {
            let pred = self.earlier(*pred, counter)?;
            self.preds.push(pred);
        }
        let effect = match &op.action {
            Action::Set(value) => Effect::Set(value.clone()),
            Action::Make(kind) => Effect::Set(Scalar::Object(*kind)),
            Action::Increment(by) => Effect::Add(*by),
            Action::Delete | Action::Mark => Effect::Remove,
        };
        match (op.object, &op.key) {
            (None, OpKey::Map(name)) => self.root(document, name, id, effect),
            (None, _) => return Err(FoldError::UnknownReference),
            (Some(object), _) => {
                let object = self.earlier(object, counter)?;
                self.inside(document, object, op, id, effect)?;
            }
        }
        if let Action::Make(kind) = op.action {
            document.objects.push(Object::new(id, kind));
        }
        Ok(())
    }

    fn root(&mut self, document: &mut Document, name: &str, id: OpId, effect: Effect) {
        let column = self.table.column(name);
        let key = match column {
            _ if name == DELETED => Key::Deleted,
            Some(column) => Key::Column(column.id),
            None => Key::Unknown(name.to_owned()),
        };
        if let (Some("updated_at"), Effect::Set(scalar)) = (column.map(|c| c.name), &effect) {
            self.touched_at = match scalar {
                Scalar::Int(t) => Some(Timestamp(*t)),
                _ => None,
            };
        }
        if let (Key::Deleted, Effect::Set(Scalar::Bool(true))) = (&key, &effect) {
            document.deleting.push(self.hash);
        }
        let origin = self.origin.filter(|_| column.is_some_and(Column::keeps_origin));
        apply(document.live_mut(key), id, origin, effect, &self.preds);
    }

    fn inside(
        &self,
        document: &mut Document,
        object: OpId,
        op: &Operation,
        id: OpId,
        effect: Effect,
    ) -> Result<(), FoldError> {
        let Document { actors, objects, .. } = document;
        let object = objects
            .iter_mut()
            .rfind(|o| o.id == object)
            .ok_or(FoldError::UnknownReference)?;
        match (&mut object.content, &op.key) {
            (ObjectContent::Map(entries), OpKey::Map(name)) => entry(entries, name, id, effect, &self.preds),
            (ObjectContent::Sequence(elements), OpKey::Head) if op.insert => {
                insert(elements, 0, actors, id, effect);
            }
            (ObjectContent::Sequence(elements), OpKey::Element(after)) if op.insert => {
                let place = position(elements, self.earlier(*after, id.counter)?)?;
                insert(elements, place + 1, actors, id, effect);
            }
            (ObjectContent::Sequence(elements), OpKey::Element(named)) => {
                let place = position(elements, self.earlier(*named, id.counter)?)?;
                apply(&mut elements[place].live, id, None, effect, &self.preds);
            }
            _ => return Err(FoldError::UnknownReference),
        }
        Ok(())
    }
}

/// What an operation does to the live operations of its key.
enum Effect {
    Set(Scalar),
    Add(i64),
    Remove,
}

fn apply(live: &mut Vec<LiveOp>, id: OpId, origin: Option<Origin>, effect: Effect, preds: &[OpId]) {
    match effect {
        Effect::Add(by) => {
            for counter in live.iter_mut().filter(|l| preds.contains(&l.id)) {
                if let Scalar::Counter(total) = &mut counter.value {
                    *total = total.saturating_add(by);
                }
            }
        }
        Effect::Set(value) => {
            live.retain(|l| !preds.contains(&l.id));
            live.push(LiveOp { id, value, origin });
        }
        Effect::Remove => live.retain(|l| !preds.contains(&l.id)),
    }
}

fn entry(entries: &mut Vec<(String, Vec<LiveOp>)>, name: &str, id: OpId, effect: Effect, preds: &[OpId]) {
    let i = match entries.binary_search_by(|(key, _)| key.as_str().cmp(name)) {
        Ok(i) => i,
        Err(i) => {
            entries.insert(i, (name.to_owned(), Vec::new()));
            i
        }
    };
    apply(&mut entries[i].1, id, None, effect, preds);
    if entries[i].1.is_empty() {
        entries.remove(i);
    }
}

/// Where an element stands. Most often it is the last one written, near the end.
fn position(elements: &[Element], id: OpId) -> Result<usize, FoldError> {
    elements
        .iter()
        .rposition(|e| e.id == id)
        .ok_or(FoldError::UnknownReference)
}

fn insert(elements: &mut Vec<Element>, mut place: usize, actors: &[ActorClock], id: OpId, effect: Effect) {
    let order = |id: OpId| (id.counter, &actors[id.actor as usize].actor);
    while elements.get(place).is_some_and(|e| order(e.id) > order(id)) {
        place += 1;
    }
    let mut element = Element { id, live: Vec::new() };
    apply(&mut element.live, id, None, effect, &[]);
    elements.insert(place, element);
}
