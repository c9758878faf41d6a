//! Makes new changes from a document alone: dependencies are its heads, predecessors the live operations of what is written.

use serde_json::Value as Json;
use smallvec::{SmallVec, smallvec};

use super::{
    Actor, Change, DELETED, DecodedChange, Document, DocumentId, FoldError, Key, ObjectKind, Op, OpId, Place, Scalar,
    codec::{New, OpKey, OpRef, encode},
    fold::Arrival,
};
use crate::{
    ids::{ChangeHash, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction},
    schema::{Column, Merge, Table},
    value::Value,
};

mod difference;
mod myers;

/// A finished change: its bytes, its name and what is in it.
#[derive(Clone, Debug)]
pub struct BuiltChange {
    /// Automerge's binary form.
    pub bytes: Vec<u8>,
    /// SHA-256 of its contents.
    pub hash: ChangeHash,
    pub(crate) decoded: DecodedChange,
}

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The writing actor.
    pub actor: &'a Actor,
    /// The transaction's time.
    pub time: Timestamp,
    /// Unguessable text that goes into changes of restricted columns, so that their hashes tell nothing.
    pub salt: Option<&'a str>,
}

/// Beyond this counter nothing is written any more: a change's last operation must still have a number.
const LAST_OP: u32 = u32::MAX - (1 << 24);

impl Document {
    /// Makes the changes that carry out `action` on this document and folds them in. Several only where a plain value has
    /// to become an object first ([`super::expand`]); none if there is nothing to write.
    pub fn write(
        &mut self,
        id: DocumentId,
        table: &Table,
        action: &RowAction,
        writer: Writer<'_>,
    ) -> Result<Vec<BuiltChange>, FoldError> {
        let arrival = Arrival {
            place: Place::Pending,
            time: writer.time,
        };
        let (mut before, mut built) = (None, Vec::new());
        if let RowAction::Edit(edits) = action {
            for edit in edits {
                if let Some(expansion) = self.expansion_for(id, table, edit) {
                    before.get_or_insert_with(|| self.clone());
                    self.fold(table, &expansion.decoded, arrival)?;
                    built.push(expansion);
                }
            }
        }
        if self.max_op > LAST_OP {
            return Err(FoldError::Numbering { found: self.max_op });
        }
        let mut builder = Builder::new(writer.actor.clone(), self.next_seq(writer.actor), self.max_op + 1);
        match action {
            RowAction::Create(values) => self.create(&mut builder, table, values),
            RowAction::Edit(edits) => edits.iter().for_each(|edit| self.edit(&mut builder, table, edit)),
            RowAction::Delete => self.put_root(&mut builder, DELETED, Key::Deleted, Scalar::Bool(true)),
        }
        if builder.is_empty() {
            if let Some(before) = before {
                *self = before;
            }
            return Ok(Vec::new());
        }
        let seconds = writer.time.0.div_euclid(1_000_000);
        let change = builder.finish(self.heads.clone(), seconds, writer.salt);
        self.fold(table, &change.decoded, arrival)?;
        built.push(change);
        Ok(built)
    }

    fn expansion_for(&self, id: DocumentId, table: &Table, edit: &ColumnEdit) -> Option<BuiltChange> {
        let column = table.by_id(edit.column);
        match &edit.kind {
            // An emptied text becomes an object too: words written meanwhile stay.
            ColumnEditKind::Set { value, .. } if column.merge == Merge::Text || !value.is_null() => {
                self.expansion(id, column, &difference::to_json(column, value))
            }
            _ => None,
        }
    }

    /// A row that was deleted and is made again (same composite key) is written over, and no longer deleted.
    fn create(&self, builder: &mut Builder, table: &Table, values: &[(crate::schema::ColumnId, Value)]) {
        for (column, value) in values {
            let column = table.by_id(*column);
            // An imported row says that it has no `updated_at`: else the engine would give it one.
            if !value.is_null() || !self.live(column.id).is_empty() || column.merge == Merge::Derived {
                self.put_root(
                    builder,
                    column.name,
                    Key::Column(column.id),
                    Scalar::of_value(column, value),
                );
            }
        }
        if self.has_deletion() {
            self.put_root(builder, DELETED, Key::Deleted, Scalar::Bool(false));
        }
    }

    fn edit(&self, builder: &mut Builder, table: &Table, edit: &ColumnEdit) {
        let column = table.by_id(edit.column);
        let key = Key::Column(column.id);
        match &edit.kind {
            ColumnEditKind::Add(by) => self.add(builder, column, key, *by),
            ColumnEditKind::Set { value, seen } => {
                if matches!(column.merge, Merge::Text | Merge::Json)
                    && self.edit_object(builder, column, value, seen.as_ref())
                {
                    return;
                }
                self.put_root(builder, column.name, key, Scalar::of_value(column, value));
            }
        }
    }

    fn add(&self, builder: &mut Builder, column: &Column, key: Key<'_>, by: i64) {
        let counters = self.live_of(key).filter(|op| matches!(op.value, Scalar::Counter(_)));
        let preds: Vec<OpRef> = counters.map(|op| builder.name_of(self, op.id)).collect();
        if preds.is_empty() {
            return self.put_root(builder, column.name, key, Scalar::Counter(by));
        }
        builder.push(None, OpKey::Map(column.name), false, New::Increment(by), &preds);
    }

    fn put_root(&self, builder: &mut Builder, name: &str, key: Key<'_>, value: Scalar<'_>) {
        let preds: Vec<OpRef> = self.live_of(key).map(|op| builder.name_of(self, op.id)).collect();
        builder.push(None, OpKey::Map(name), false, New::Set(value), &preds);
    }
}

/// Collects a change's operations.
pub(super) struct Builder {
    change: Change,
}

impl Builder {
    pub(super) fn new(actor: Actor, seq: u64, start_op: u32) -> Self {
        Self {
            change: Change::new(smallvec![actor], seq, start_op),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.change.is_empty()
    }

    /// How this change names an operation.
    pub(super) fn name(&mut self, counter: u32, actor: &Actor) -> OpRef {
        let actors = &mut self.change.actors;
        let index = actors.iter().position(|a| a == actor).unwrap_or_else(|| {
            actors.push(actor.clone());
            actors.len() - 1
        });
        OpRef {
            counter,
            actor: index as u32,
        }
    }

    /// How this change names an operation of a document.
    pub(super) fn name_of(&mut self, document: &Document, id: OpId) -> OpRef {
        self.name(id.counter, document.actor(id))
    }

    /// How this change names live operations of a document.
    pub(super) fn names_of(&mut self, document: &Document, live: &[Op]) -> Vec<OpRef> {
        live.iter().map(|op| self.name_of(document, op.id)).collect()
    }

    /// Adds an operation and returns its id.
    pub(super) fn push(
        &mut self,
        object: Option<OpRef>,
        key: OpKey<'_>,
        insert: bool,
        action: New<'_>,
        preds: &[OpRef],
    ) -> OpRef {
        self.change.push(object, key, insert, action, preds);
        OpRef {
            counter: self.change.max_op(),
            actor: 0,
        }
    }

    /// Puts all of a JSON value into a new object: a string into a text, items into a list, entries into a map.
    pub(super) fn fill(&mut self, object: OpRef, json: &Json) {
        match json {
            Json::String(text) => {
                let mut after = None;
                for character in text.chars() {
                    after = Some(self.insert_character(object, after, character));
                }
            }
            Json::Array(items) => {
                let mut after = None;
                for item in items {
                    after = Some(self.insert_item(object, after, item));
                }
            }
            Json::Object(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                for (key, value) in sorted {
                    self.set_entry(object, key, value, &[]);
                }
            }
            _ => {}
        }
    }

    /// Inserts a character after an element (`None`: at the start).
    pub(super) fn insert_character(&mut self, object: OpRef, after: Option<OpRef>, character: char) -> OpRef {
        let mut bytes = [0; 4];
        self.insert(object, after, New::Set(Scalar::Str(character.encode_utf8(&mut bytes))))
    }

    /// Inserts a JSON value after an element.
    pub(super) fn insert_item(&mut self, object: OpRef, after: Option<OpRef>, item: &Json) -> OpRef {
        let id = self.insert(object, after, action_for(item));
        self.fill_nested(id, item);
        id
    }

    /// Sets a map's entry.
    pub(super) fn set_entry(&mut self, object: OpRef, key: &str, value: &Json, preds: &[OpRef]) {
        let id = self.push(Some(object), OpKey::Map(key), false, action_for(value), preds);
        self.fill_nested(id, value);
    }

    fn fill_nested(&mut self, id: OpRef, value: &Json) {
        if value.is_object() || value.is_array() {
            self.fill(id, value);
        }
    }

    fn insert(&mut self, object: OpRef, after: Option<OpRef>, action: New<'_>) -> OpRef {
        let key = after.map_or(OpKey::Head, OpKey::Element);
        self.push(Some(object), key, true, action, &[])
    }

    pub(super) fn finish(self, deps: Vec<ChangeHash>, seconds: i64, message: Option<&str>) -> BuiltChange {
        let mut change = self.change;
        change.deps = deps.into();
        change.deps.sort_unstable();
        change.time = seconds;
        change.message = message.map(str::to_owned);
        sort_actors(&mut change);
        change.sort_preds();
        let (bytes, hash) = encode(&change);
        BuiltChange {
            bytes,
            hash,
            decoded: DecodedChange::new(hash, change),
        }
    }
}

/// The maker first, the others in order, as the format demands. Those that no operation names are left out: the Automerge
/// library saves only what operations name, and what it saved would have another hash.
fn sort_actors(change: &mut Change) {
    if change.actors.len() < 2 {
        return;
    }
    let mut named = vec![false; change.actors.len()];
    change.renumber(|actor| {
        named[actor as usize] = true;
        actor
    });
    let before = std::mem::take(&mut change.actors);
    let others = before[1..].iter().zip(&named[1..]).filter(|(_, named)| **named);
    let mut after: SmallVec<[Actor; 1]> = others.map(|(actor, _)| actor.clone()).collect();
    after.sort_unstable();
    after.insert(0, before[0].clone());
    change.renumber(|old| {
        let actor = &before[old as usize];
        after
            .iter()
            .position(|a| a == actor)
            .expect("BUG: an actor that is named stays") as u32
    });
    change.actors = after;
}

/// The operation that sets a JSON value: a plain one, or a new object to fill.
fn action_for(json: &Json) -> New<'_> {
    New::Set(match json {
        Json::Object(_) => return New::Make(ObjectKind::Map),
        Json::Array(_) => return New::Make(ObjectKind::List),
        Json::Null => Scalar::Null,
        Json::Bool(b) => Scalar::Bool(*b),
        Json::String(text) => Scalar::Str(text),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => Scalar::Int(i),
            (None, Some(u)) => Scalar::Uint(u),
            (None, None) => Scalar::F64(n.as_f64().unwrap_or_default()),
        },
    })
}
