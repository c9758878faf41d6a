//! Text and JSON objects inside a document.

use serde_json::Value as Json;

use super::{
    Document, LiveOp, ObjectKind, OpId, Scalar,
    op::Ops,
    sequence::{Element, Sequence},
};
use crate::{schema::Column, value::Value};

/// An object, named by the operation that made it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// The operation that made it.
    pub id: OpId,
    /// Text, list or map.
    pub kind: ObjectKind,
    /// What is in it.
    pub content: ObjectContent,
}

/// See [`Object`].
#[derive(Clone, Debug)]
pub(super) enum ObjectContent {
    /// A map's live operations by key, sorted.
    Map(Vec<(Box<str>, Ops)>),
    /// A list's or text's elements.
    Sequence(Sequence),
}

/// All that is in an object, concurrent values and deleted elements too.
#[derive(Clone, Debug)]
pub enum Contents<'a> {
    /// A map's live operations by key, sorted.
    Map(Vec<(&'a str, Vec<LiveOp<'a>>)>),
    /// A list's or text's elements in order: the operation that inserted each, and its live operations.
    Sequence(Vec<(OpId, Vec<LiveOp<'a>>)>),
}

impl Object {
    pub(super) fn new(id: OpId, kind: ObjectKind) -> Self {
        let content = match kind {
            ObjectKind::Map => ObjectContent::Map(Vec::new()),
            ObjectKind::List | ObjectKind::Text => ObjectContent::Sequence(Sequence::default()),
        };
        Self { id, kind, content }
    }
}

impl Document {
    /// Where an object is, or would be.
    pub(super) fn find_object(&self, id: OpId) -> Result<usize, usize> {
        let wanted = (id.counter, id.actor);
        self.objects
            .binary_search_by(|object| (object.id.counter, object.id.actor).cmp(&wanted))
    }

    /// The object that an operation made.
    pub(super) fn object(&self, id: OpId) -> Option<&Object> {
        self.find_object(id).ok().map(|i| &self.objects[i])
    }

    /// The operations that made its objects.
    pub fn objects(&self) -> impl Iterator<Item = OpId> {
        self.objects.iter().map(|object| object.id)
    }

    /// All that is in the object that an operation made.
    pub fn contents(&self, id: OpId) -> Option<Contents<'_>> {
        let all = |live: &Ops| live.iter().map(|op| self.view(op)).collect();
        Some(match &self.object(id)?.content {
            ObjectContent::Map(entries) => {
                Contents::Map(entries.iter().map(|(key, live)| (&**key, all(live))).collect())
            }
            ObjectContent::Sequence(sequence) => {
                Contents::Sequence(sequence.elements().iter().map(|e| (e.id, all(&e.live))).collect())
            }
        })
    }

    /// The latest of some live operations, in Automerge's order.
    pub(super) fn latest(&self, live: &Ops) -> Option<LiveOp<'_>> {
        let latest = match live.as_slice() {
            [] => return None,
            [only] => only,
            several => several.iter().max_by_key(|op| self.order(op.id))?,
        };
        Some(self.view(latest))
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
        let shown = |live: &Ops| self.latest(live).map(|op| self.op_json(op, depth));
        match &object.content {
            ObjectContent::Map(entries) => entries
                .iter()
                .filter_map(|(key, live)| Some((key.to_string(), shown(live)?)))
                .collect(),
            ObjectContent::Sequence(sequence) if object.kind == ObjectKind::Text => {
                let mut text = String::new();
                for op in sequence.elements().iter().filter_map(|e| self.latest(&e.live)) {
                    text.push_str(element_text(op));
                }
                Json::String(text)
            }
            ObjectContent::Sequence(sequence) => sequence.elements().iter().filter_map(|e| shown(&e.live)).collect(),
        }
    }

    /// A live operation's value as JSON.
    pub fn op_json(&self, op: LiveOp<'_>, depth: usize) -> Json {
        match op.value {
            Scalar::Null => Json::Null,
            Scalar::Bool(b) => b.into(),
            Scalar::Int(i) | Scalar::Counter(i) | Scalar::Millis(i) => i.into(),
            Scalar::Uint(u) => u.into(),
            Scalar::F64(f) => f.into(),
            Scalar::Str(s) => s.into(),
            Scalar::Bytes(b) => b.iter().map(|b| Json::from(*b)).collect(),
            Scalar::Object(_) => self.object_json(op.id, depth + 1),
        }
    }

    /// How deep an object nests, up to just beyond [`MAX_DEPTH`].
    pub(crate) fn object_depth(&self, id: OpId, depth: usize) -> usize {
        let Some(object) = self.object(id).filter(|_| depth <= MAX_DEPTH) else {
            return depth;
        };
        let nested = |live: &Ops| {
            let objects = live.iter().filter(|op| op.value.kind().is_object());
            objects
                .map(|op| self.object_depth(op.id, depth + 1))
                .max()
                .unwrap_or(depth)
        };
        let of = |e: &Element| nested(&e.live);
        match &object.content {
            ObjectContent::Map(entries) => entries.iter().map(|(_, live)| nested(live)).max().unwrap_or(depth),
            ObjectContent::Sequence(sequence) => sequence.elements().iter().map(of).max().unwrap_or(depth),
        }
    }
}

/// How deep JSON may nest.
pub const MAX_DEPTH: usize = 64;

/// A text's element is a string; anything else shows as the object replacement character, as Automerge does.
fn element_text(op: LiveOp<'_>) -> &str {
    match op.value {
        Scalar::Str(s) => s,
        _ => "\u{fffc}",
    }
}
