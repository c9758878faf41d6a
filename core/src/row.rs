//! Rows of the tables, and what a command writes to them.

use crate::{
    ids::RowId,
    schema::{ColumnId, Table, TableId},
    value::Value,
};

/// A row as the tables show it. Columns that this side does not hold (a password hash on a device) are null.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its table.
    pub table: TableId,
    /// Its key, or for a composite key the id derived from it.
    pub id: RowId,
    /// One per column of the table, in order.
    pub values: Vec<Value>,
}

impl Row {
    /// The value of a column.
    pub fn get(&self, column: ColumnId) -> &Value {
        &self.values[usize::from(column.0)]
    }

    /// The value of the column of this name, which the code itself names.
    pub fn named(&self, table: &Table, column: &str) -> &Value {
        self.get(table.expect(column).id)
    }
}

/// What a command does to one row; a transaction is made of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowWrite {
    /// The table.
    pub table: TableId,
    /// The row.
    pub row: RowId,
    /// What is done to it.
    pub action: RowAction,
}

/// See [`RowWrite`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowAction {
    /// A new row with these values; defaults are filled in already, columns left out are null.
    Create(Vec<(ColumnId, Value)>),
    /// Other values for some columns.
    Edit(Vec<ColumnEdit>),
    /// The row is hidden.
    Delete,
}

/// One column's part of an edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnEdit {
    /// The column.
    pub column: ColumnId,
    /// What is done to it.
    pub kind: ColumnEditKind,
}

/// See [`ColumnEdit`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ColumnEditKind {
    /// Another value. For `text` and `json` columns, `seen` is the value that the person started from: only the difference
    /// between the two is written, so that nobody else's words are lost.
    Set {
        /// The new value.
        value: Value,
        /// What the person saw before.
        seen: Option<Value>,
    },
    /// Adds to a counter.
    Add(i64),
}
