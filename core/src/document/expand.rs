//! Turns a column's plain value into an object that merges, in the same way on every device.
//!
//! A new row keeps text and JSON as plain strings: most are never edited, and an object per column would cost too much. The
//! first edit turns the string into an object. Two devices may do so concurrently, so the change that does it is derived:
//! from the row's first change and the value alone, with an actor of its own. Both devices make the same change, with
//! the same hash; whatever they then write inside it merges.

use automerge::{
    ActorId, ChangeHash as AutomergeHash, ObjType,
    legacy::{ObjectId as ChangeObject, Op, OpType},
};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{
    Actor, DecodedChange, Document, DocumentId, Key, LiveOp, Scalar,
    write::{Builder, BuiltChange},
};
use crate::schema::{Column, Merge, Table};

/// The kinds of object that a plain value can become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Text,
    Map,
    List,
}

impl Document {
    /// The change that turns a column's plain value into an object, if the column can have one. `wanted` decides what an
    /// empty JSON column becomes.
    pub(super) fn expansion(&self, id: DocumentId, column: &Column, wanted: &Json) -> Option<BuiltChange> {
        let plain = self.plain(column)?;
        let kind = match (column.merge, &plain.json) {
            (Merge::Text, Json::Null | Json::String(_)) => Kind::Text,
            (Merge::Json, Json::Object(_)) => Kind::Map,
            (Merge::Json, Json::Array(_)) => Kind::List,
            (Merge::Json, Json::Null) if wanted.is_object() => Kind::Map,
            (Merge::Json, Json::Null) if wanted.is_array() => Kind::List,
            _ => return None,
        };
        Some(self.build_expansion(id, column, &plain, kind))
    }

    /// True if a change is exactly the one that this document's expansion of some column gives. Nobody else may use an
    /// expansion's actor.
    pub(crate) fn is_expansion(&self, id: DocumentId, table: &Table, decoded: &DecodedChange) -> bool {
        let Some(column) = decoded.change.operations.first().and_then(|op| match &op.key {
            automerge::legacy::Key::Map(name) => table.column(name),
            automerge::legacy::Key::Seq(_) => None,
        }) else {
            return false;
        };
        [
            Json::Null,
            Json::Object(serde_json::Map::new()),
            Json::Array(Vec::new()),
        ]
        .iter()
        .filter_map(|wanted| self.expansion(id, column, wanted))
        .any(|expansion| expansion.hash == decoded.hash)
    }

    /// The column's value if it is still as the row's first change left it.
    fn plain<'a>(&'a self, column: &Column) -> Option<Plain<'a>> {
        let creation = self.creation?;
        let live = match self.live_of(&Key::Column(column.id)) {
            [] => None,
            [only] if only.id.counter <= creation.max_op => Some(only),
            _ => return None,
        };
        let json = match live.map(|op| &op.value) {
            None | Some(Scalar::Null) => Json::Null,
            Some(Scalar::Str(text)) if column.merge == Merge::Text => Json::String(text.clone()),
            Some(Scalar::Str(text)) => serde_json::from_str(text).ok()?,
            _ => return None,
        };
        Some(Plain { live, json })
    }

    fn build_expansion(&self, id: DocumentId, column: &Column, plain: &Plain<'_>, kind: Kind) -> BuiltChange {
        let creation = self.creation.expect("BUG: a plain value without a first change");
        let actor = self.expansion_actor(id, column, plain, kind);
        let mut builder = Builder::new(ActorId::from(&actor.0[..]), creation.max_op + 1);
        let make = match kind {
            Kind::Text => ObjType::Text,
            Kind::Map => ObjType::Map,
            Kind::List => ObjType::List,
        };
        let object = builder.push(Op {
            action: OpType::Make(make),
            obj: ChangeObject::Root,
            key: automerge::legacy::Key::Map(column.name.into()),
            pred: plain.live.iter().map(|op| self.change_op_id(op.id)).collect(),
            insert: false,
        });
        builder.fill(&object, &plain.json);
        builder.finish(1, vec![AutomergeHash(creation.hash.0)], 0, None)
    }

    fn expansion_actor(&self, id: DocumentId, column: &Column, plain: &Plain<'_>, kind: Kind) -> Actor {
        let mut hasher = Sha256::new();
        hasher.update(b"holdfast expansion 1\0");
        hasher.update(id.part().to_be_bytes());
        hasher.update(id.row.0.as_bytes());
        hasher.update(column.name.as_bytes());
        hasher.update([0, kind as u8]);
        if let Some(op) = plain.live {
            hasher.update(op.id.counter.to_be_bytes());
            hasher.update(&self.actor(op.id).0);
        }
        Actor(hasher.finalize()[..16].to_vec())
    }
}

/// A column's plain value and the operation that set it.
struct Plain<'a> {
    live: Option<&'a LiveOp>,
    json: Json,
}
