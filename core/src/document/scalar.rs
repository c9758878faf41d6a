//! A plain value inside a document: Automerge's scalar types, and what a column makes of them.

use minicbor::{Decode, Encode};
use uuid::Uuid;

use crate::{
    ids::Timestamp,
    schema::{Column, Merge, SqlType},
    value::Value,
};

/// A value that an operation sets. `Object` stands for the object that the operation made.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Scalar {
    /// Null
    #[n(0)]
    Null,
    /// Boolean
    #[n(1)]
    Bool(#[n(0)] bool),
    /// 64-bit integer; timestamps are microseconds since 1970 UTC
    #[n(2)]
    Int(#[n(0)] i64),
    /// String
    #[n(3)]
    Str(#[n(0)] String),
    /// Bytes; a UUID is its 16
    #[n(4)]
    Bytes(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        Vec<u8>,
    ),
    /// Counter: its first value and all increments
    #[n(5)]
    Counter(#[n(0)] i64),
    /// Unsigned integer
    #[n(6)]
    Uint(#[n(0)] u64),
    /// Float
    #[n(7)]
    F64(#[n(0)] f64),
    /// Automerge's own timestamp (milliseconds), which Holdfast reads but does not write
    #[n(8)]
    Millis(#[n(0)] i64),
    /// An object
    #[n(9)]
    Object(#[n(0)] ObjectKind),
}

/// The kinds of objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum ObjectKind {
    /// Key by key
    #[n(0)]
    Map,
    /// Item by item
    #[n(1)]
    List,
    /// Character by character
    #[n(2)]
    Text,
}

impl Scalar {
    /// How a column's value is kept in a document.
    pub fn of_value(column: &Column, value: &Value) -> Self {
        match value {
            Value::Int(i) if column.merge == Merge::Counter => Self::Counter(*i),
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(i) => Self::Int(*i),
            Value::Text(t) => Self::Str(t.clone()),
            Value::Uuid(u) => Self::Bytes(u.as_bytes().to_vec()),
            Value::Timestamp(t) => Self::Int(t.0),
        }
    }

    /// What a column shows for it: null where it is of another type, which `ingest` refuses to let in.
    pub fn to_value(&self, column: &Column) -> Value {
        self.try_value(column).unwrap_or(Value::Null)
    }

    /// The value for a column, or `None` if it is of another type.
    pub fn try_value(&self, column: &Column) -> Option<Value> {
        Some(match (self, column.sql_type) {
            (Self::Null, _) => Value::Null,
            (Self::Bool(b), SqlType::Boolean) => Value::Bool(*b),
            (Self::Counter(c), SqlType::Integer) if column.merge == Merge::Counter => Value::Int(*c),
            (Self::Int(i), SqlType::Integer) if column.merge != Merge::Counter => Value::Int(*i),
            (Self::Int(t), SqlType::Timestamptz) => Value::Timestamp(Timestamp(*t)),
            (Self::Bytes(b), SqlType::Uuid) => Value::Uuid(Uuid::from_slice(b).ok()?),
            (Self::Str(s), SqlType::Varchar(_) | SqlType::Text | SqlType::Date | SqlType::Numeric { .. }) => {
                Value::Text(s.clone())
            }
            _ => return None,
        })
    }
}
