//! What a command may look at.

use crate::{
    command::ReadError,
    ids::RowId,
    row::Row,
    schema::{ColumnId, Table, TableId},
    value::Value,
};

/// The rows as they are now; hidden (deleted) ones are not there.
pub trait Reader {
    /// The row with this id.
    fn row(&self, table: &Table, id: RowId) -> Result<Option<Row>, ReadError>;

    /// Rows whose named columns have exactly these values (`Null` finds nulls), ordered by primary key.
    fn find(&self, table: &Table, filter: &[(ColumnId, Value)]) -> Result<Vec<Row>, ReadError>;

    /// The open conflict with this id.
    fn conflict(&self, id: &str) -> Result<Option<OpenConflict>, ReadError>;
}

/// A conflict that a person has to settle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenConflict {
    /// Its id.
    pub id: String,
    /// The table of the row.
    pub table: TableId,
    /// The row.
    pub row: RowId,
    /// The column, or `None` if the whole row is in question (edited here, deleted there).
    pub column: Option<ColumnId>,
    /// The value that each side meant.
    pub sides: Vec<Value>,
}
