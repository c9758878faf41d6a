//! Declares a command once: its type for Rust and serde, and its description for TypeScript.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::ids::RowId;

/// A command's description, from which its TypeScript type is written.
pub(super) struct Description {
    /// What it does.
    pub doc: &'static [&'static str],
    /// Its fields, in order.
    pub fields: &'static [FieldDescription],
}

/// A field's description.
pub(super) struct FieldDescription {
    /// Its name in Rust.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static [&'static str],
    /// Its type in TypeScript.
    pub type_name: &'static str,
    /// It may be left out.
    pub optional: bool,
}

/// A type that has a [`Description`].
pub(super) trait Described {
    const DESCRIPTION: Description;
}

/// A type that a command's field may have.
pub(super) trait Field: Sized {
    /// Its name in TypeScript.
    const TYPE: &'static str;
    /// It may be left out.
    const OPTIONAL: bool = false;

    /// Left out.
    fn is_absent(&self) -> bool {
        false
    }

    /// Reads it; `None` if it is left out. The error is for whoever writes pages.
    fn read(json: Option<Json>) -> Result<Self, String>;
}

macro_rules! field_types {
    ($($type:ty => $name:literal,)*) => {
        $(impl Field for $type {
            const TYPE: &'static str = $name;

            fn read(json: Option<Json>) -> Result<Self, String> {
                let json = json.ok_or("is missing")?;
                serde_json::from_value(json).map_err(|error| error.to_string())
            }
        })*
    };
}

field_types! {
    String => "string",
    RowId => "string",
    Vec<RowId> => "string[]",
    i64 => "number",
    bool => "boolean",
    Json => "ColumnValue",
    Map<String, Json> => "Values",
    BTreeMap<String, i64> => "{ [column: string]: number }",
}

impl<T: Field> Field for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const OPTIONAL: bool = true;

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn read(json: Option<Json>) -> Result<Self, String> {
        json.filter(|json| !json.is_null())
            .map(|json| T::read(Some(json)))
            .transpose()
    }
}

/// Takes a field out of a command's JSON, named as in Rust. Commands are read so, field by field: what serde derives for
/// each of them is ten times as much to download.
pub(super) fn take<T: Field>(fields: &mut Map<String, Json>, name: &str) -> Result<T, String> {
    let name = camel_case(name);
    T::read(fields.remove(&name)).map_err(|problem| format!("`{name}`: {problem}"))
}

/// Declares a command: a struct with documented public fields.
macro_rules! command {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $($(#[doc = $field_doc:literal])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs, reason = "a field without words is the column or the row of its name")]
        pub struct $name {
            $(
                $(#[doc = $field_doc])*
                #[serde(skip_serializing_if = "crate::command::declare::Field::is_absent")]
                pub $field: $type,
            )*
        }

        impl $name {
            /// Takes its fields out of its JSON.
            pub(in crate::command) fn read(
                fields: &mut serde_json::Map<String, serde_json::Value>,
            ) -> Result<Self, String> {
                Ok(Self {
                    $($field: crate::command::declare::take(fields, stringify!($field))?,)*
                })
            }
        }

        impl crate::command::declare::Described for $name {
            const DESCRIPTION: crate::command::declare::Description = crate::command::declare::Description {
                doc: &[$($doc),*],
                fields: &[$(crate::command::declare::FieldDescription {
                    name: stringify!($field),
                    doc: &[$($field_doc),*],
                    type_name: <$type as crate::command::declare::Field>::TYPE,
                    optional: <$type as crate::command::declare::Field>::OPTIONAL,
                }),*],
            };
        }
    };
}

pub(super) use command;

/// `patient_id` → `patientId`
pub(super) fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |out, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        out + &head.to_ascii_uppercase() + tail
    })
}
