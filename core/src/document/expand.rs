//! Turns a column's plain value into an object that merges, in the same way on every device.
//!
//! A new row keeps text and JSON as plain strings: most are never edited, and an object per column would cost too much. The
//! first edit turns the string into an object. Two devices may do so concurrently, so the change that does it is derived:
//! from the row's first change and the value alone, with an actor of its own. Both devices make the same change, with
//! the same hash; whatever they then write inside it merges.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{
    Actor, ActorClock, Creation, DecodedChange, Document, DocumentId, LiveOp, ObjectKind, Place, Scalar,
    codec::{New, OpKey},
    fold::Arrival,
    write::{Builder, BuiltChange},
};
use crate::{
    ids::Timestamp,
    schema::{Column, Merge, Table},
};

impl Document {
    /// The change that turns a column's plain value into an object, if the column can have one. `wanted` decides what an
    /// empty JSON column becomes.
    pub(super) fn expansion(&self, id: DocumentId, column: &Column, wanted: &Json) -> Option<BuiltChange> {
        let (plain, json) = self.plain(column)?;
        let kind = match (column.merge, &json) {
            (Merge::Text, Json::Null | Json::String(_)) => ObjectKind::Text,
            (Merge::Json, Json::Object(_)) => ObjectKind::Map,
            (Merge::Json, Json::Array(_)) => ObjectKind::List,
            (Merge::Json, Json::Null) if wanted.is_object() => ObjectKind::Map,
            (Merge::Json, Json::Null) if wanted.is_array() => ObjectKind::List,
            _ => return None,
        };
        let plain = plain.map(|op| (op.id.counter, self.actor(op.id).clone()));
        Some(
            Expansion {
                document: id,
                column,
                creation: self.creation?,
                plain,
                kind,
                json,
            }
            .build(),
        )
    }

    /// True if a change is an expansion of this document: exactly what its own contents give, on a first change of the row:
    /// on the one that its maker knew, if several people made it. The column may have other values by now.
    pub(crate) fn is_expansion(&self, id: DocumentId, table: &Table, decoded: &DecodedChange) -> bool {
        self.reconstructed(id, table, decoded)
            .is_some_and(|expansion| expansion.build().hash == decoded.hash)
    }

    fn reconstructed<'a>(&self, id: DocumentId, table: &'a Table, decoded: &DecodedChange) -> Option<Expansion<'a>> {
        let change = &decoded.change;
        let creation = *self.creations().find(|first| change.deps[..] == [first.hash])?;
        let first = change.operations().next()?;
        let OpKey::Map(name) = first.key else { return None };
        let column = table.column(name)?;
        let plain = first
            .preds
            .first()
            .map(|id| (id.counter, change.actors[id.actor as usize].clone()));
        let known = plain.iter().map(|(counter, actor)| ActorClock {
            actor: actor.clone(),
            seq: 1,
            max_op: *counter,
        });
        let mut alone = Self {
            actors: known.collect(),
            max_op: creation.max_op,
            ..Self::default()
        };
        alone
            .fold(
                table,
                decoded,
                Arrival {
                    place: Place::Pending,
                    time: Timestamp(0),
                },
            )
            .ok()?;
        let LiveOp {
            id: made,
            value: Scalar::Object(kind),
            ..
        } = alone.live(column.id).only()?
        else {
            return None;
        };
        let json = alone.object_json(made, 0);
        Some(Expansion {
            document: id,
            column,
            creation,
            plain,
            kind,
            json,
        })
    }

    /// The column's value if it is still as the row's first change left it, and the operation that set it.
    fn plain(&self, column: &Column) -> Option<(Option<LiveOp<'_>>, Json)> {
        let creation = self.creation?;
        let mut all = self.live(column.id);
        let live = match (all.next(), all.next()) {
            (None, _) => None,
            (Some(only), None) if only.id.counter <= creation.max_op => Some(only),
            _ => return None,
        };
        let json = match live.map(|op| op.value) {
            None | Some(Scalar::Null) => Json::Null,
            Some(Scalar::Str(text)) if column.merge == Merge::Text => Json::String(text.to_owned()),
            Some(Scalar::Str(text)) => serde_json::from_str(text).ok()?,
            _ => return None,
        };
        Some((live, json))
    }
}

/// All that an expansion follows from.
struct Expansion<'a> {
    document: DocumentId,
    column: &'a Column,
    creation: Creation,
    /// The operation that set the plain value, if any did.
    plain: Option<(u32, Actor)>,
    kind: ObjectKind,
    json: Json,
}

impl Expansion<'_> {
    fn build(&self) -> BuiltChange {
        let contents = match (&self.json, self.kind) {
            // An empty column and an empty object give the same change.
            (Json::Null, ObjectKind::Text) => Json::String(String::new()),
            (Json::Null, ObjectKind::Map) => Json::Object(serde_json::Map::new()),
            (Json::Null, ObjectKind::List) => Json::Array(Vec::new()),
            (json, _) => sorted(json),
        };
        let mut builder = Builder::new(self.actor(&contents), 1, self.creation.max_op + 1);
        let preds: Vec<_> = self
            .plain
            .iter()
            .map(|(counter, actor)| builder.name(*counter, actor))
            .collect();
        let key = OpKey::Map(self.column.name);
        let object = builder.push(None, key, false, New::Make(self.kind), &preds);
        builder.fill(object, &contents);
        builder.finish(vec![self.creation.hash], 0, None)
    }

    /// The actor stands for the contents, so that no two different changes share one.
    fn actor(&self, contents: &Json) -> Actor {
        let mut hasher = Sha256::new();
        hasher.update(b"holdfast expansion 1\0");
        hasher.update(self.document.part().to_be_bytes());
        hasher.update(self.document.row.0.as_bytes());
        hasher.update(self.creation.hash.0);
        hasher.update(self.column.name.as_bytes());
        hasher.update([0, self.kind as u8]);
        if let Some((counter, actor)) = &self.plain {
            hasher.update(u64::from(*counter).to_be_bytes());
            hasher.update([actor.as_bytes().len() as u8]);
            hasher.update(actor.as_bytes());
        }
        hasher.update(contents.to_string());
        Actor::from(&hasher.finalize()[..16])
    }
}

/// The same JSON with its keys in order, as a document gives it back.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(entries) => {
            let mut entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect();
            entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            entries.into_iter().collect()
        }
        Json::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
