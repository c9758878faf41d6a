//! Makes new changes from a document alone: dependencies are its heads, predecessors the live operations of what is written.

use std::num::NonZeroU64;

use automerge::{
    ActorId, Change, ChangeHash as AutomergeHash, ExpandedChange, ObjType, ScalarValue,
    legacy::{ElementId, Key as ChangeKey, ObjectId as ChangeObject, Op, OpId as ChangeOpId, OpType, SortedVec},
};
use serde_json::Value as Json;

use super::{
    Actor, DELETED, DecodedChange, Document, DocumentId, FoldError, Key, LiveOp, OpId, Place, Scalar, fold::Arrival,
};
use crate::{
    ids::{ChangeHash, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction},
    schema::{Column, Merge, Table},
    value::Value,
};

mod difference;

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
        let before = self.clone();
        let mut built = Vec::new();
        if let RowAction::Edit(edits) = action {
            for edit in edits {
                if let Some(expansion) = self.expansion_for(id, table, edit) {
                    self.fold(table, &expansion.decoded, arrival)?;
                    built.push(expansion);
                }
            }
        }
        let mut builder = Builder::new(ActorId::from(&writer.actor.0[..]), self.max_op + 1);
        match action {
            RowAction::Create(values) => self.create(&mut builder, table, values),
            RowAction::Edit(edits) => edits.iter().for_each(|edit| self.edit(&mut builder, table, edit)),
            RowAction::Delete => self.put_root(&mut builder, DELETED, &Key::Deleted, &Scalar::Bool(true)),
        }
        if builder.ops.is_empty() {
            *self = before;
            return Ok(Vec::new());
        }
        let deps = self.heads.iter().map(|h| AutomergeHash(h.0)).collect();
        let seconds = writer.time.0.div_euclid(1_000_000);
        let change = builder.finish(self.next_seq(writer.actor), deps, seconds, writer.salt);
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
                    &Key::Column(column.id),
                    &Scalar::of_value(column, value),
                );
            }
        }
        if self.has_deletion() {
            self.put_root(builder, DELETED, &Key::Deleted, &Scalar::Bool(false));
        }
    }

    fn edit(&self, builder: &mut Builder, table: &Table, edit: &ColumnEdit) {
        let column = table.by_id(edit.column);
        let key = Key::Column(column.id);
        match &edit.kind {
            ColumnEditKind::Add(by) => self.add(builder, column, &key, *by),
            ColumnEditKind::Set { value, seen } => {
                if matches!(column.merge, Merge::Text | Merge::Json)
                    && self.edit_object(builder, column, value, seen.as_ref())
                {
                    return;
                }
                self.put_root(builder, column.name, &key, &Scalar::of_value(column, value));
            }
        }
    }

    fn add(&self, builder: &mut Builder, column: &Column, key: &Key, by: i64) {
        let counters: Vec<&LiveOp> = self
            .live_of(key)
            .iter()
            .filter(|op| matches!(op.value, Scalar::Counter(_)))
            .collect();
        if counters.is_empty() {
            return self.put_root(builder, column.name, key, &Scalar::Counter(by));
        }
        builder.push(Op {
            action: OpType::Increment(by),
            obj: ChangeObject::Root,
            key: ChangeKey::Map(column.name.into()),
            pred: counters.iter().map(|op| self.change_op_id(op.id)).collect(),
            insert: false,
        });
    }

    fn put_root(&self, builder: &mut Builder, name: &str, key: &Key, value: &Scalar) {
        builder.push(Op {
            action: OpType::Put(value.to_automerge().expect("BUG: a plain value is written")),
            obj: ChangeObject::Root,
            key: ChangeKey::Map(name.into()),
            pred: self.change_op_ids(self.live_of(key)),
            insert: false,
        });
    }

    pub(super) fn change_op_id(&self, id: OpId) -> ChangeOpId {
        ChangeOpId(id.counter, ActorId::from(&self.actor(id).0[..]))
    }

    fn change_op_ids(&self, live: &[LiveOp]) -> SortedVec<ChangeOpId> {
        live.iter().map(|op| self.change_op_id(op.id)).collect()
    }
}

/// Collects a change's operations.
pub(super) struct Builder {
    actor: ActorId,
    start: u64,
    ops: Vec<Op>,
}

impl Builder {
    pub(super) fn new(actor: ActorId, start: u64) -> Self {
        Self {
            actor,
            start,
            ops: Vec::new(),
        }
    }

    /// Adds an operation and returns its id.
    pub(super) fn push(&mut self, op: Op) -> ChangeOpId {
        let id = ChangeOpId(self.start + self.ops.len() as u64, self.actor.clone());
        self.ops.push(op);
        id
    }

    /// Puts all of a JSON value into a new object: a string into a text, items into a list, entries into a map.
    pub(super) fn fill(&mut self, object: &ChangeOpId, json: &Json) {
        match json {
            Json::String(text) => {
                self.insert_text(object, None, text.chars());
            }
            Json::Array(items) => {
                let mut after = None;
                for item in items {
                    after = Some(self.insert_item(object, after.as_ref(), item));
                }
            }
            Json::Object(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by_key(|(key, _)| *key);
                for (key, value) in sorted {
                    self.set_entry(object, key, value, SortedVec::new());
                }
            }
            _ => {}
        }
    }

    /// Inserts characters after an element (`None`: at the start).
    pub(super) fn insert_text(
        &mut self,
        object: &ChangeOpId,
        after: Option<ChangeOpId>,
        text: impl Iterator<Item = char>,
    ) -> Option<ChangeOpId> {
        let mut after = after;
        for character in text {
            let mut buffer = [0; 4];
            let value = ScalarValue::Str(character.encode_utf8(&mut buffer)[..].into());
            after = Some(self.insert(object, after.as_ref(), OpType::Put(value)));
        }
        after
    }

    /// Inserts a JSON value after an element.
    pub(super) fn insert_item(&mut self, object: &ChangeOpId, after: Option<&ChangeOpId>, item: &Json) -> ChangeOpId {
        let id = self.insert(object, after, action_for(item));
        self.fill_nested(&id, item);
        id
    }

    /// Sets a map's entry.
    pub(super) fn set_entry(&mut self, object: &ChangeOpId, key: &str, value: &Json, pred: SortedVec<ChangeOpId>) {
        let id = self.push(Op {
            action: action_for(value),
            obj: ChangeObject::Id(object.clone()),
            key: ChangeKey::Map(key.into()),
            pred,
            insert: false,
        });
        self.fill_nested(&id, value);
    }

    fn fill_nested(&mut self, id: &ChangeOpId, value: &Json) {
        if value.is_object() || value.is_array() {
            self.fill(id, value);
        }
    }

    fn insert(&mut self, object: &ChangeOpId, after: Option<&ChangeOpId>, action: OpType) -> ChangeOpId {
        let element = after.map_or(ElementId::Head, |id| ElementId::Id(id.clone()));
        self.push(Op {
            action,
            obj: ChangeObject::Id(object.clone()),
            key: ChangeKey::Seq(element),
            pred: SortedVec::new(),
            insert: true,
        })
    }

    pub(super) fn finish(
        self,
        seq: u64,
        mut deps: Vec<AutomergeHash>,
        seconds: i64,
        message: Option<&str>,
    ) -> BuiltChange {
        deps.sort_unstable();
        let mut expanded = ExpandedChange {
            operations: self.ops,
            actor_id: self.actor,
            hash: None,
            seq,
            start_op: NonZeroU64::new(self.start).expect("BUG: operations are numbered from 1"),
            time: seconds,
            message: message.map(str::to_owned),
            deps,
            extra_bytes: Vec::new(),
            author: None,
        };
        let mut change = Change::from(expanded.clone());
        let hash = ChangeHash(change.hash().0);
        expanded.hash = Some(AutomergeHash(hash.0));
        BuiltChange {
            bytes: change.bytes().into_owned(),
            hash,
            decoded: DecodedChange { hash, change: expanded },
        }
    }
}

/// The operation that sets a JSON value: a plain one, or a new object to fill.
fn action_for(json: &Json) -> OpType {
    OpType::Put(match json {
        Json::Object(_) => return OpType::Make(ObjType::Map),
        Json::Array(_) => return OpType::Make(ObjType::List),
        Json::Null => ScalarValue::Null,
        Json::Bool(b) => ScalarValue::Boolean(*b),
        Json::String(text) => ScalarValue::Str(text.as_str().into()),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => ScalarValue::Int(i),
            (None, Some(u)) => ScalarValue::Uint(u),
            (None, None) => ScalarValue::F64(n.as_f64().unwrap_or_default()),
        },
    })
}
