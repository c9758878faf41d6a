//! A plain value inside a document: Automerge's scalar types, and what a column makes of them.

use uuid::Uuid;

use super::codec::{
    DecodeError,
    leb128::{Reader, write_signed, write_unsigned},
};
use crate::{
    ids::Timestamp,
    schema::{Column, Merge, SqlType},
    value::Value,
};

/// A value that an operation sets, as a view of where it is kept. `Object` stands for the object that the operation made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar<'a> {
    /// Null
    Null,
    /// Boolean
    Bool(bool),
    /// 64-bit integer; timestamps are microseconds since 1970 UTC
    Int(i64),
    /// String
    Str(&'a str),
    /// Bytes; a UUID is its 16
    Bytes(&'a [u8]),
    /// Counter: its first value and all increments
    Counter(i64),
    /// Unsigned integer
    Uint(u64),
    /// Float
    F64(f64),
    /// Automerge's own timestamp (milliseconds), which Holdfast reads but does not write
    Millis(i64),
    /// An object
    Object(ObjectKind),
}

/// The kinds of objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectKind {
    /// Key by key
    Map,
    /// Item by item
    List,
    /// Character by character
    Text,
}

impl<'a> Scalar<'a> {
    /// How a column's value is kept in a document.
    pub fn of_value(column: &Column, value: &'a Value) -> Self {
        match value {
            Value::Int(i) if column.merge == Merge::Counter => Self::Counter(*i),
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(i) => Self::Int(*i),
            Value::Text(t) => Self::Str(t),
            Value::Uuid(u) => Self::Bytes(u.as_bytes()),
            Value::Timestamp(t) => Self::Int(t.0),
        }
    }

    /// What a column shows for it: null where it is of another type, which `ingest` refuses to let in.
    pub fn to_value(self, column: &Column) -> Value {
        self.try_value(column).unwrap_or(Value::Null)
    }

    /// The value for a column, or `None` if it is of another type.
    pub fn try_value(self, column: &Column) -> Option<Value> {
        Some(match (self, column.sql_type) {
            (Self::Null, _) => Value::Null,
            (Self::Bool(b), SqlType::Boolean) => Value::Bool(b),
            (Self::Counter(c), SqlType::Integer) if column.merge == Merge::Counter => Value::Int(c),
            (Self::Int(i), SqlType::Integer) if column.merge != Merge::Counter => Value::Int(i),
            (Self::Int(t), SqlType::Timestamptz) => Value::Timestamp(Timestamp(t)),
            (Self::Bytes(b), SqlType::Uuid) => Value::Uuid(Uuid::from_slice(b).ok()?),
            (Self::Str(s), SqlType::Varchar(_) | SqlType::Text | SqlType::Date | SqlType::Numeric { .. }) => {
                Value::Text(s.to_owned())
            }
            _ => return None,
        })
    }

    /// Appends the value's bytes as Automerge writes them, and says what they are.
    pub(super) fn write(self, out: &mut Vec<u8>) -> Kind {
        match self {
            Self::Null => Kind::NULL,
            Self::Bool(false) => Kind::FALSE,
            Self::Bool(true) => Kind::TRUE,
            Self::Uint(value) => {
                write_unsigned(out, value);
                Kind::UINT
            }
            Self::Int(value) => {
                write_signed(out, value);
                Kind::INT
            }
            Self::F64(value) => {
                out.extend_from_slice(&value.to_le_bytes());
                Kind::F64
            }
            Self::Str(text) => {
                out.extend_from_slice(text.as_bytes());
                Kind::STR
            }
            Self::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                Kind::BYTES
            }
            Self::Counter(value) => {
                write_signed(out, value);
                Kind::COUNTER
            }
            Self::Millis(value) => {
                write_signed(out, value);
                Kind::MILLIS
            }
            Self::Object(kind) => Kind::of_object(kind),
        }
    }
}

/// Four bits that say what a value's bytes are: Automerge's type codes, and after them the objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kind(u8);

impl Kind {
    pub(super) const NULL: Self = Self(0);
    const FALSE: Self = Self(1);
    const TRUE: Self = Self(2);
    const UINT: Self = Self(3);
    pub(super) const INT: Self = Self(4);
    const F64: Self = Self(5);
    pub(super) const STR: Self = Self(6);
    const BYTES: Self = Self(7);
    pub(super) const COUNTER: Self = Self(8);
    const MILLIS: Self = Self(9);
    const MAP: Self = Self(10);
    const LIST: Self = Self(11);
    const TEXT: Self = Self(12);

    #[inline]
    pub(super) fn is_object(self) -> bool {
        self.0 >= Self::MAP.0
    }

    fn of_object(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Map => Self::MAP,
            ObjectKind::List => Self::LIST,
            ObjectKind::Text => Self::TEXT,
        }
    }

    /// The four bits.
    #[inline]
    pub(super) fn bits(self) -> u32 {
        u32::from(self.0)
    }

    /// The kind that a change's value may have.
    #[inline]
    pub(super) fn of_change(meta: u64) -> Result<Self, DecodeError> {
        match (meta & 0x0f) as u8 {
            bits @ 0..=9 => Ok(Self(bits)),
            _ => Err(DecodeError::UnknownKind),
        }
    }

    /// The kind that a stored document's value may have.
    #[inline]
    pub(super) fn of_stored(meta: u32) -> Result<Self, DecodeError> {
        match (meta & 0x0f) as u8 {
            bits @ 0..=12 => Ok(Self(bits)),
            _ => Err(DecodeError::UnknownKind),
        }
    }

    #[inline]
    pub(super) fn of_meta(meta: u32) -> Self {
        Self((meta & 0x0f) as u8)
    }

    /// The value that bytes of this kind stand for.
    #[inline]
    pub(super) fn read(self, bytes: &[u8]) -> Result<Scalar<'_>, DecodeError> {
        let mut reader = Reader::new(bytes);
        let scalar = match self {
            Self::NULL => Scalar::Null,
            Self::FALSE => Scalar::Bool(false),
            Self::TRUE => Scalar::Bool(true),
            Self::UINT => Scalar::Uint(reader.unsigned()?),
            Self::INT => Scalar::Int(reader.signed()?),
            Self::F64 => Scalar::F64(f64::from_le_bytes(
                reader
                    .rest()
                    .try_into()
                    .map_err(|_| DecodeError::Malformed("a float is not 8 bytes"))?,
            )),
            Self::STR => {
                let text = std::str::from_utf8(reader.rest());
                Scalar::Str(text.map_err(|_| DecodeError::Malformed("a text is not UTF-8"))?)
            }
            Self::BYTES => Scalar::Bytes(reader.rest()),
            Self::COUNTER => Scalar::Counter(reader.signed()?),
            Self::MILLIS => Scalar::Millis(reader.signed()?),
            Self::MAP => Scalar::Object(ObjectKind::Map),
            Self::LIST => Scalar::Object(ObjectKind::List),
            _ => Scalar::Object(ObjectKind::Text),
        };
        if reader.is_empty() {
            Ok(scalar)
        } else {
            Err(DecodeError::Malformed("a value has bytes left over"))
        }
    }
}
