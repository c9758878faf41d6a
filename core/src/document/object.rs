//! Text and JSON objects inside a document.

use minicbor::{Decode, Encode};
use serde_json::Value as Json;

use super::{Document, LiveOp, ObjectKind, OpId, Scalar};
use crate::{schema::Column, value::Value};

/// An object, named by the operation that made it.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Object {
    /// The operation that made it.
    #[n(0)]
    pub id: OpId,
    /// Text, list or map.
    #[n(1)]
    pub kind: ObjectKind,
    /// What is in it.
    #[n(2)]
    pub content: ObjectContent,
}

/// See [`Object`].
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum ObjectContent {
    /// A map's live operations by key, sorted.
    #[n(0)]
    Map(#[n(0)] Vec<(String, Vec<LiveOp>)>),
    /// A list's or text's elements in order, deleted ones (no live operation) among them.
    #[n(1)]
    Sequence(#[n(0)] Vec<Element>),
}

/// An element of a list or text.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Element {
    /// The operation that inserted it.
    #[n(0)]
    pub id: OpId,
    /// Its live operations; none if it is deleted.
    #[n(1)]
    pub live: Vec<LiveOp>,
}

impl Object {
    pub(super) fn new(id: OpId, kind: ObjectKind) -> Self {
        let content = match kind {
            ObjectKind::Map => ObjectContent::Map(Vec::new()),
            ObjectKind::List | ObjectKind::Text => ObjectContent::Sequence(Vec::new()),
        };
        Self { id, kind, content }
    }

    pub(super) fn is_valid(&self, actors: usize) -> bool {
        let op = |id: OpId| (id.actor as usize) < actors;
        let ops = |live: &[LiveOp]| live.iter().all(|l| op(l.id));
        op(self.id)
            && match &self.content {
                ObjectContent::Map(entries) => entries.iter().all(|(_, live)| ops(live)),
                ObjectContent::Sequence(elements) => elements.iter().all(|e| op(e.id) && ops(&e.live)),
            }
    }
}

impl Document {
    /// The object that an operation made.
    pub fn object(&self, id: OpId) -> Option<&Object> {
        self.objects.iter().find(|o| o.id == id)
    }

    /// The latest of some live operations, in Automerge's order.
    pub(super) fn latest<'a>(&self, live: &'a [LiveOp]) -> Option<&'a LiveOp> {
        live.iter().max_by_key(|op| self.order(op.id))
    }

    /// An object as its column shows it: text as it reads, JSON as compact JSON text.
    pub(super) fn render(&self, id: OpId, kind: ObjectKind, column: &Column) -> Value {
        let json = self.object_json(id, 0);
        match (kind, json) {
            // A text from which all was deleted is as empty as one that was never written.
            (ObjectKind::Text, Json::String(text)) if text.is_empty() => Value::Null,
            (ObjectKind::Text, Json::String(text)) if !column.json => Value::Text(text),
            (_, json) => Value::Text(json.to_string()),
        }
    }

    /// An object as JSON, its keys in order.
    pub fn object_json(&self, id: OpId, depth: usize) -> Json {
        // Deeper nesting than `ingest` lets in cannot be reached; the bound keeps the stack safe all the same.
        let Some(object) = self.object(id).filter(|_| depth < MAX_DEPTH) else {
            return Json::Null;
        };
        let shown = |live: &[LiveOp]| self.latest(live).map(|op| self.op_json(op, depth));
        match &object.content {
            ObjectContent::Map(entries) => entries
                .iter()
                .filter_map(|(key, live)| Some((key.clone(), shown(live)?)))
                .collect(),
            ObjectContent::Sequence(elements) if object.kind == ObjectKind::Text => Json::String(
                elements
                    .iter()
                    .filter_map(|e| self.latest(&e.live))
                    .map(element_text)
                    .collect(),
            ),
            ObjectContent::Sequence(elements) => elements.iter().filter_map(|e| shown(&e.live)).collect(),
        }
    }

    /// A live operation's value as JSON.
    pub fn op_json(&self, op: &LiveOp, depth: usize) -> Json {
        match &op.value {
            Scalar::Null => Json::Null,
            Scalar::Bool(b) => (*b).into(),
            Scalar::Int(i) | Scalar::Counter(i) | Scalar::Millis(i) => (*i).into(),
            Scalar::Uint(u) => (*u).into(),
            Scalar::F64(f) => (*f).into(),
            Scalar::Str(s) => s.clone().into(),
            Scalar::Bytes(b) => b.iter().map(|b| Json::from(*b)).collect(),
            Scalar::Object(_) => self.object_json(op.id, depth + 1),
        }
    }
}

/// How deep JSON may nest.
pub const MAX_DEPTH: usize = 64;

/// A text's element is a string; anything else shows as the object replacement character, as Automerge does.
fn element_text(op: &LiveOp) -> &str {
    match &op.value {
        Scalar::Str(s) => s,
        _ => "\u{fffc}",
    }
}

impl Document {
    /// How deep an object nests, up to just beyond [`MAX_DEPTH`].
    pub(crate) fn object_depth(&self, id: OpId, depth: usize) -> usize {
        let Some(object) = self.object(id).filter(|_| depth <= MAX_DEPTH) else {
            return depth;
        };
        let nested = |live: &[LiveOp]| {
            let objects = live.iter().filter(|op| matches!(op.value, Scalar::Object(_)));
            objects
                .map(|op| self.object_depth(op.id, depth + 1))
                .max()
                .unwrap_or(depth)
        };
        match &object.content {
            ObjectContent::Map(entries) => entries.iter().map(|(_, live)| nested(live)).max().unwrap_or(depth),
            ObjectContent::Sequence(elements) => elements.iter().map(|e| nested(&e.live)).max().unwrap_or(depth),
        }
    }
}
