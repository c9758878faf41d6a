//! What a judge demands of a transaction before it may enter the stream.

use super::{RowKey, in_facet};
use crate::{
    document::{
        DELETED, DecodedChange, Document, DocumentId, Facet, FoldError, LiveOp, ObjectKind, Scalar,
        codec::{Action, OpKey, Operation},
    },
    ids::Timestamp,
    policy::Role,
    schema::{Column, Merge, SCHEMA_VERSION, Schema, Table},
    transaction::Body,
    value::{Value, ValueError, check_timestamp},
};

/// Why a transaction is refused: where, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", self.place())]
pub struct Rejection {
    /// Machine-readable kind.
    pub code: &'static str,
    /// Which of the transaction's changes, from 0.
    pub change: Option<usize>,
    /// The table's name, or its number if it has none here.
    pub table: String,
    /// The row.
    pub row: String,
    /// The column.
    pub column: Option<String>,
    /// What is wrong, for people.
    pub problem: String,
}

impl Rejection {
    fn place(&self) -> String {
        let column = self.column.as_ref().map(|c| format!(".{c}")).unwrap_or_default();
        format!("{}{column}, row {}", self.table, self.row)
    }

    pub(super) fn unknown_table(index: usize, id: DocumentId) -> Self {
        Self {
            code: "unknown_table",
            change: Some(index),
            table: id.table.0.to_string(),
            row: id.row.to_string(),
            column: None,
            problem: "there is no such table".into(),
        }
    }

    pub(super) fn withheld(index: usize, table: &Table, id: DocumentId) -> Self {
        Self {
            code: "incomplete",
            change: Some(index),
            table: table.name.into(),
            row: id.row.to_string(),
            column: None,
            problem: "the change is named and not there".into(),
        }
    }

    /// Something of this document that the transaction needs will not come.
    pub(super) fn dependency(code: &'static str, id: DocumentId, problem: String) -> Self {
        let table = Schema::hospital().get(id.table);
        Self {
            code,
            change: None,
            table: table.map_or_else(|| id.table.0.to_string(), |t| t.name.to_owned()),
            row: id.row.to_string(),
            column: None,
            problem,
        }
    }

    /// `which` says what is wrong with the row that is referred to, as in "that does not exist".
    pub(super) fn broken_reference(table: &Table, key: RowKey, column: &Column, target: RowKey, which: &str) -> Self {
        let to = Schema::hospital().by_id(target.table).name;
        Self {
            code: "broken_reference",
            change: None,
            table: table.name.into(),
            row: key.row.to_string(),
            column: Some(column.name.into()),
            problem: format!("refers to a row of {to} {which}: {}", target.row),
        }
    }
}

/// What a transaction says of itself.
pub(super) fn body(body: &Body) -> Result<(), Rejection> {
    let finite = if body.time.to_datetime().is_some() {
        body.time
    } else {
        Timestamp(i64::MAX - 1)
    };
    check_timestamp(finite).map_err(|e| Rejection {
        code: "invalid_time",
        change: None,
        table: "transaction".into(),
        row: body.id.to_string(),
        column: Some("time".into()),
        problem: e.to_string(),
    })
}

/// A change under judgement.
pub(super) struct Judged<'a> {
    pub(super) index: usize,
    pub(super) id: DocumentId,
    pub(super) table: &'static Table,
    pub(super) body: &'a Body,
    pub(super) role: Role,
    pub(super) import: bool,
}

impl Judged<'_> {
    fn refuse(&self, code: &'static str, column: Option<&str>, problem: impl Into<String>) -> Rejection {
        Rejection {
            code,
            change: Some(self.index),
            table: self.table.name.into(),
            row: self.id.row.to_string(),
            column: column.map(str::to_owned),
            problem: problem.into(),
        }
    }

    pub(super) fn unfoldable(&self, error: &FoldError) -> Rejection {
        self.refuse("unfoldable", None, error.to_string())
    }

    /// What can be said of a change without its document.
    pub(super) fn alone(&self, decoded: &DecodedChange) -> Result<(), Rejection> {
        if !self.role.may_write(&self.id) {
            let what = if self.id.facet == Facet::Restricted {
                "restricted columns"
            } else {
                "this table"
            };
            return Err(self.refuse("not_allowed", None, format!("your role may not write to {what}")));
        }
        let device = decoded.change.actor().device();
        if device.is_some() && device != Some(self.body.device) {
            return Err(self.wrong_actor());
        }
        if decoded.change.is_empty() {
            return Err(self.refuse("empty_change", None, "changes nothing"));
        }
        if !decoded.is_canonical() {
            let problem = "is not encoded as Automerge encodes it, so that no library could save it";
            return Err(self.refuse("not_canonical", None, problem));
        }
        Ok(())
    }

    fn wrong_actor(&self) -> Rejection {
        self.refuse("wrong_actor", None, "was not made by the device that signed it")
    }

    /// A device writes as itself. What it writes under another actor must be what anybody would have written there.
    pub(super) fn maker(&self, document: &Document, decoded: &DecodedChange) -> Result<(), Rejection> {
        let own = decoded.change.actor().device() == Some(self.body.device);
        if own || document.is_expansion(self.id, self.table, decoded) {
            Ok(())
        } else {
            Err(self.wrong_actor())
        }
    }

    /// Before the change is folded.
    pub(super) fn change(&self, document: &Document, decoded: &DecodedChange) -> Result<(), Rejection> {
        decoded
            .change
            .operations()
            .try_for_each(|op| self.operation(document, &op))
    }

    fn operation(&self, document: &Document, op: &Operation<'_>) -> Result<(), Rejection> {
        let name = match (op.object, op.key) {
            // Inside a text or JSON object anything of the right shape may be written; the fold checks the shape.
            (Some(_), _) => return Ok(()),
            (None, OpKey::Map(name)) => name,
            (None, _) => {
                return Err(self.refuse("unfoldable", None, "an element of a row, which is no list"));
            }
        };
        if name == DELETED {
            return match (op.action, self.id.facet) {
                (Action::Set(value), Facet::Main) if matches!(value.scalar(), Scalar::Bool(_)) => Ok(()),
                _ => Err(self.refuse("wrong_type", Some(name), "must be true or false")),
            };
        }
        match self.table.column(name).filter(|c| in_facet(c, self.id.facet)) {
            Some(column) => self.column(document, column, op),
            None if self.body.schema_version > SCHEMA_VERSION => Ok(()),
            None => Err(self.refuse("unknown_column", Some(name), "there is no such column")),
        }
    }

    fn column(&self, document: &Document, column: &Column, op: &Operation<'_>) -> Result<(), Rejection> {
        let wrong = |problem: &str| Err(self.refuse("wrong_type", Some(column.name), problem));
        match (op.action, column.merge) {
            (Action::Set(value), _) => {
                let Some(value) = value.scalar().try_value(column) else {
                    return wrong(&format!("is not a {}", column.sql_type));
                };
                self.value(document, column, &value)
            }
            (Action::Increment(_), Merge::Counter)
            | (Action::Make(ObjectKind::Text), Merge::Text)
            | (Action::Make(ObjectKind::Map | ObjectKind::List), Merge::Json) => Ok(()),
            (Action::Increment(_), _) => wrong("is no counter"),
            _ => wrong("cannot be written like this"),
        }
    }

    fn value(&self, document: &Document, column: &Column, value: &Value) -> Result<(), Rejection> {
        let refuse = |e: &ValueError| Err(self.refuse("invalid_value", Some(column.name), e.to_string()));
        value.check(column).or_else(|e| refuse(&e))?;
        if !self.import {
            value.check_vocabulary(column).or_else(|e| refuse(&e))?;
        }
        if let (Merge::Json, Value::Text(text)) = (column.merge, value) {
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .map_err(|e| self.refuse("invalid_value", Some(column.name), format!("is not JSON: {e}")))?;
        }
        match column.merge {
            Merge::Identity if !self.is_own_key(column, value) => Err(self.refuse(
                "wrong_key",
                Some(column.name),
                "is not the key that the row is named by",
            )),
            Merge::Once if !document.live(column.id).is_empty() && document.value(column, false) != *value => {
                Err(self.refuse("set_once", Some(column.name), "is set once and cannot be changed"))
            }
            Merge::Derived if !self.import => Err(self.refuse(
                "derived",
                Some(column.name),
                "is set by the engine and cannot be written",
            )),
            _ => Ok(()),
        }
    }

    fn is_own_key(&self, column: &Column, value: &Value) -> bool {
        self.table.has_composite_key() || !column.primary_key || *value == Value::Uuid(self.id.row.0)
    }

    /// After the change is folded.
    pub(super) fn folded(&self, document: &Document) -> Result<(), Rejection> {
        for column in Document::columns_of(self.table, self.id.facet) {
            let live = document.live(column.id);
            if column.not_null && live.is_empty() && !document.is_deleted() {
                return Err(self.refuse("missing_value", Some(column.name), ValueError::Required.to_string()));
            }
            for op in live {
                self.live_value(document, column, op)?;
            }
        }
        if self.table.has_composite_key() {
            self.composite_key(document)?;
        }
        if document.unknown_columns() > 200 {
            return Err(self.refuse("too_many_columns", None, "has more than 200 unknown columns"));
        }
        Ok(())
    }

    fn live_value(&self, document: &Document, column: &Column, op: LiveOp<'_>) -> Result<(), Rejection> {
        match op.value {
            Scalar::Counter(total) => Value::Int(total)
                .check(column)
                .map_err(|e| self.refuse("invalid_value", Some(column.name), e.to_string())),
            Scalar::Object(ObjectKind::Text | ObjectKind::Map | ObjectKind::List) => {
                if document.object_depth(op.id, 0) > crate::document::object::MAX_DEPTH {
                    return Err(self.refuse("invalid_value", Some(column.name), "is nested too deeply"));
                }
                document
                    .show(column, op)
                    .check(column)
                    .map_err(|e| self.refuse("invalid_value", Some(column.name), e.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn composite_key(&self, document: &Document) -> Result<(), Rejection> {
        let key: Option<Vec<_>> = self
            .table
            .primary_key
            .iter()
            .map(|id| match document.value(self.table.by_id(*id), false) {
                Value::Uuid(id) => Some(id),
                _ => None,
            })
            .collect();
        match key {
            Some(key) if self.table.row_id(&key) == self.id.row => Ok(()),
            _ => Err(self.refuse("wrong_key", None, "is not named by its key")),
        }
    }
}
