//! A row together with its table, read by column names that the code itself gives.

use crate::{
    ids::{RowId, Timestamp},
    row::Row,
    schema::Table,
    value::Value,
};

/// A row and its table.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub table: &'static Table,
    pub row: Row,
}

impl Record {
    pub fn id(&self) -> RowId {
        self.row.id
    }

    pub fn get(&self, column: &str) -> &Value {
        self.row.named(self.table, column)
    }

    pub fn is_null(&self, column: &str) -> bool {
        self.get(column).is_null()
    }

    /// The row that a foreign key names.
    pub fn reference(&self, column: &str) -> Option<RowId> {
        match self.get(column) {
            Value::Uuid(id) => Some(RowId(*id)),
            _ => None,
        }
    }

    /// True if the foreign key names this row.
    pub fn refers_to(&self, column: &str, id: RowId) -> bool {
        self.reference(column) == Some(id)
    }

    /// Text, empty where there is none.
    pub fn text(&self, column: &str) -> &str {
        match self.get(column) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    pub fn time(&self, column: &str) -> Option<Timestamp> {
        match self.get(column) {
            Value::Timestamp(time) => Some(*time),
            _ => None,
        }
    }

    pub fn number(&self, column: &str) -> Option<i64> {
        match self.get(column) {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The text of the column with another line at its end.
    pub fn with_line(&self, column: &str, line: &str) -> Value {
        match self.text(column) {
            "" => line.into(),
            text => format!("{text}\n{line}").into(),
        }
    }
}
