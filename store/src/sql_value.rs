//! Values as SQLite holds them, and back.

use holdfast_core::{
    ids::Timestamp,
    schema::{Column, SqlType},
    value::Value,
};
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use uuid::{Uuid, fmt::Hyphenated};

use crate::StoreError;

/// A value on its way into a table.
pub(crate) enum Bound<'v> {
    Null,
    Integer(i64),
    Text(&'v str),
    Uuid([u8; Hyphenated::LENGTH]),
    Time(String),
}

impl<'v> Bound<'v> {
    /// A value as tables hold it.
    pub fn of(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Integer(i64::from(*b)),
            Value::Int(i) => Self::Integer(*i),
            Value::Text(text) => Self::Text(text),
            Value::Timestamp(time) => Self::Time(time.to_string()),
            Value::Uuid(id) => {
                let mut text = [0; Hyphenated::LENGTH];
                id.hyphenated().encode_lower(&mut text);
                Self::Uuid(text)
            }
        }
    }
}

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Owned::Null),
            Self::Integer(i) => ToSqlOutput::Owned(Owned::Integer(*i)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Uuid(text) => ToSqlOutput::Borrowed(ValueRef::Text(text)),
            Self::Time(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
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
