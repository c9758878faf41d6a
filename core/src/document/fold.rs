//! Folds changes into a document, operation by operation, by Automerge's rules.
//!
//! - A put or an object replaces the operations that it names as predecessors; those it doesn't name are concurrent and stay.
//! - A counter adds the increments that name it.
//! - A sequence element stands after the one it names, behind later-numbered elements inserted at the same place (RGA).

use automerge::{
    ObjType,
    legacy::{ElementId, Key as ChangeKey, ObjectId as ChangeObject, Op, OpId as ChangeOpId, OpType},
};

use super::{
    Actor, ActorClock, Creation, DELETED, DecodedChange, Document, Element, Key, LiveOp, Object, ObjectContent,
    ObjectKind, OpId, Origin, Place, Scalar,
};
use crate::{
    ids::{ChangeHash, Timestamp},
    schema::Table,
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
    /// Its operations are numbered below those that it depends on.
    #[error("operations are numbered from {found}, which is not after the document's")]
    Numbering {
        /// The change's first counter.
        found: u64,
    },
    /// An operation on an object, an element or an actor that does not exist.
    #[error("an operation refers to something that does not exist")]
    UnknownReference,
    /// A kind of value or operation that this version doesn't know.
    #[error("an operation or value of an unknown kind")]
    UnknownKind,
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
        let actor = Actor(change.actor_id.to_bytes().to_vec());
        let expected = self.next_seq(&actor);
        if change.seq != expected {
            return Err(FoldError::Sequence {
                expected,
                found: change.seq,
            });
        }
        let start = change.start_op.get();
        let builds_on_all = self
            .heads
            .iter()
            .all(|head| change.deps.iter().any(|dep| dep.0 == head.0));
        if start > u64::from(u32::MAX) * 1024 || (builds_on_all && start <= self.max_op) {
            return Err(FoldError::Numbering { found: start });
        }
        let actor = self.intern(actor, change.seq);
        let mut folding = Folding {
            table,
            arrival,
            hash: decoded.hash,
            touched_at: Some(arrival.time),
        };
        for (i, op) in change.operations.iter().enumerate() {
            folding.operation(
                self,
                OpId {
                    counter: start + i as u64,
                    actor,
                },
                op,
            )?;
        }
        self.root.retain(|(_, live)| !live.is_empty());
        if !self
            .live_of(&Key::Deleted)
            .iter()
            .any(|op| op.value == Scalar::Bool(true))
        {
            self.deleting.clear();
        }
        if self.creation.is_none() {
            self.creation = Some(Creation {
                hash: decoded.hash,
                max_op: decoded.max_op(),
            });
        }
        self.updated_at = self.updated_at.max(folding.touched_at);
        self.max_op = self.max_op.max(decoded.max_op());
        self.heads.retain(|head| !change.deps.iter().any(|dep| dep.0 == head.0));
        if let Err(i) = self.heads.binary_search(&decoded.hash) {
            self.heads.insert(i, decoded.hash);
        }
        Ok(())
    }

    fn intern(&mut self, actor: Actor, seq: u64) -> u32 {
        if let Some(i) = self.actors.iter().position(|a| a.actor == actor) {
            self.actors[i].seq = seq;
            return i as u32;
        }
        self.actors.push(ActorClock { actor, seq });
        (self.actors.len() - 1) as u32
    }

    /// An operation's id in this document's terms; `None` if its actor never wrote here.
    fn resolve(&self, id: &ChangeOpId) -> Option<OpId> {
        let actor = self.actors.iter().position(|a| a.actor.0 == id.actor().to_bytes())?;
        Some(OpId {
            counter: id.counter(),
            actor: actor as u32,
        })
    }
}

/// What one change's operations share.
struct Folding<'a> {
    table: &'a Table,
    arrival: Arrival,
    hash: ChangeHash,
    /// The transaction's time, unless the change says itself when its row was touched (imports do).
    touched_at: Option<Timestamp>,
}

impl Folding<'_> {
    fn operation(&mut self, document: &mut Document, id: OpId, op: &Op) -> Result<(), FoldError> {
        let preds: Vec<OpId> = op
            .pred
            .iter()
            .map(|p| document.resolve(p))
            .collect::<Option<_>>()
            .ok_or(FoldError::UnknownReference)?;
        if preds.iter().any(|p| p.counter >= id.counter) {
            return Err(FoldError::UnknownReference);
        }
        let mut made = None;
        let effect = match &op.action {
            OpType::Put(value) => Effect::Set(Scalar::from_automerge(value).ok_or(FoldError::UnknownKind)?),
            OpType::Make(kind) => {
                let kind = object_kind(*kind);
                made = Some(Object::new(id, kind));
                Effect::Set(Scalar::Object(kind))
            }
            OpType::Increment(by) => Effect::Add(*by),
            OpType::Delete | OpType::MarkBegin(_) | OpType::MarkEnd(_) => Effect::Remove,
        };
        match (&op.obj, &op.key) {
            (ChangeObject::Root, ChangeKey::Map(name)) => self.root(document, name, id, effect, &preds),
            (ChangeObject::Root, ChangeKey::Seq(_)) => return Err(FoldError::UnknownReference),
            (ChangeObject::Id(object), key) => {
                let object = document.resolve(object).ok_or(FoldError::UnknownReference)?;
                inside(document, object, key, op.insert, id, effect, &preds)?;
            }
        }
        document.objects.extend(made);
        Ok(())
    }

    fn root(&mut self, document: &mut Document, name: &str, id: OpId, effect: Effect, preds: &[OpId]) {
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
        let Arrival { place, time } = self.arrival;
        let origin = column
            .is_some_and(crate::schema::Column::keeps_origin)
            .then_some(Origin { place, time });
        apply(document.live_mut(key), id, origin, effect, preds);
    }
}

/// What an operation does to the live operations of its key.
enum Effect {
    Set(Scalar),
    Add(i64),
    Remove,
}

fn object_kind(kind: ObjType) -> ObjectKind {
    match kind {
        ObjType::Map | ObjType::Table => ObjectKind::Map,
        ObjType::List => ObjectKind::List,
        ObjType::Text => ObjectKind::Text,
    }
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

fn inside(
    document: &mut Document,
    object: OpId,
    key: &ChangeKey,
    insert: bool,
    id: OpId,
    effect: Effect,
    preds: &[OpId],
) -> Result<(), FoldError> {
    let element = match key {
        ChangeKey::Seq(ElementId::Id(id)) => Some(document.resolve(id).ok_or(FoldError::UnknownReference)?),
        _ => None,
    };
    let place = document
        .objects
        .iter()
        .position(|o| o.id == object)
        .ok_or(FoldError::UnknownReference)?;
    let Document { actors, objects, .. } = document;
    match (&mut objects[place].content, key) {
        (ObjectContent::Map(entries), ChangeKey::Map(name)) => {
            let i = match entries.binary_search_by(|(k, _)| k.as_str().cmp(name)) {
                Ok(i) => i,
                Err(i) => {
                    entries.insert(i, (name.to_string(), Vec::new()));
                    i
                }
            };
            apply(&mut entries[i].1, id, None, effect, preds);
            if entries[i].1.is_empty() {
                entries.remove(i);
            }
        }
        (ObjectContent::Sequence(elements), ChangeKey::Seq(_)) if insert => {
            let mut i = match element {
                None => 0,
                Some(id) => {
                    elements
                        .iter()
                        .position(|e| e.id == id)
                        .ok_or(FoldError::UnknownReference)?
                        + 1
                }
            };
            let order = |id: OpId| (id.counter, &actors[id.actor as usize].actor);
            while elements.get(i).is_some_and(|e| order(e.id) > order(id)) {
                i += 1;
            }
            let mut inserted = Element { id, live: Vec::new() };
            apply(&mut inserted.live, id, None, effect, &[]);
            elements.insert(i, inserted);
        }
        (ObjectContent::Sequence(elements), ChangeKey::Seq(_)) => {
            let named = element.ok_or(FoldError::UnknownReference)?;
            let found = elements
                .iter_mut()
                .find(|e| e.id == named)
                .ok_or(FoldError::UnknownReference)?;
            apply(&mut found.live, id, None, effect, preds);
        }
        _ => return Err(FoldError::UnknownReference),
    }
    Ok(())
}
