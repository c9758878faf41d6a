//! Values as SQLite holds them, and back.

use holdfast_core::{
    ids::Timestamp,
    schema::{Column, SqlType},
    value::Value,
};
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use uuid::Uuid;

use crate::StoreError;

/// A value on its way into a table.
pub(crate) struct Bound<'v>(pub &'v Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Owned::Null),
            Value::Bool(b) => ToSqlOutput::Owned(Owned::Integer(i64::from(*b))),
            Value::Int(i) => ToSqlOutput::Owned(Owned::Integer(*i)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Uuid(id) => ToSqlOutput::Owned(Owned::Text(id.to_string())),
            Value::Timestamp(time) => ToSqlOutput::Owned(Owned::Text(time.to_string())),
        })
    }
}

/// The value of a column that was read from a table.
pub(crate) fn read(column: &Column, found: ValueRef<'_>) -> Result<Value, StoreError> {
    let wrong = || StoreError::corrupt(format!("column {} holds {:?}", column.name, found.data_type()));
    let text = || found.as_str().map_err(|_| wrong());
    Ok(match (column.sql_type, found) {
        (_, ValueRef::Null) => Value::Null,
        (SqlType::Integer, ValueRef::Integer(i)) => Value::Int(i),
        (SqlType::Boolean, ValueRef::Integer(i)) => Value::Bool(i != 0),
        (SqlType::Uuid, _) => Value::Uuid(Uuid::parse_str(text()?).map_err(|_| wrong())?),
        (SqlType::Timestamptz, _) => Value::Timestamp(Timestamp::parse(text()?).ok_or_else(wrong)?),
        _ => Value::Text(text()?.to_owned()),
    })
}

/// A UUID that was read as its 16 bytes.
pub(crate) fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(StoreError::corrupt)
}

/// A UUID that was read as text.
pub(crate) fn uuid_text(text: &str) -> Result<Uuid, StoreError> {
    Uuid::parse_str(text).map_err(StoreError::corrupt)
}
