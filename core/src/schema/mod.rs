//! The hospital's 33 tables: one declaration (`core/schema/hospital.csv`) from which all else follows: how rows map to
//! documents, DDL of both databases, validation, TypeScript types.

mod parse;
mod postgres_ddl;
mod sqlite_ddl;
mod typescript;

pub use postgres_ddl::postgres;
pub use sqlite_ddl::{Side, sqlite};
pub use typescript::typescript;

use std::{collections::HashMap, fmt, sync::OnceLock};

use minicbor::{Decode, Encode};
use uuid::Uuid;

use crate::ids::RowId;

/// The version of the schema that this build writes. A transaction names the one it was made with.
pub const SCHEMA_VERSION: u32 = 1;

/// A table's number: its place in the declaration. Tables are only ever appended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct TableId(#[n(0)] pub u8);

/// A column's number within its table. Columns are only ever appended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct ColumnId(#[n(0)] pub u16);

/// The whole schema.
#[derive(Debug)]
pub struct Schema {
    /// In the order of the declaration; `TableId` is the index.
    pub tables: Vec<Table>,
    by_name: HashMap<&'static str, TableId>,
    /// Referenced tables before those that reference them.
    pub insert_order: Vec<TableId>,
}

/// One table.
#[derive(Debug)]
pub struct Table {
    /// Its place in the schema.
    pub id: TableId,
    /// Its name in SQL.
    pub name: &'static str,
    /// In the order of the declaration; `ColumnId` is the index.
    pub columns: Vec<Column>,
    /// The columns of the primary key.
    pub primary_key: Vec<ColumnId>,
    /// Columns of other tables that reference this one.
    pub referenced_by: Vec<(TableId, ColumnId)>,
}

/// One column.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of the declaration")]
pub struct Column {
    /// Its place in the table.
    pub id: ColumnId,
    /// Its name in SQL.
    pub name: &'static str,
    /// Its SQL type.
    pub sql_type: SqlType,
    /// Part of the primary key.
    pub primary_key: bool,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Has a unique constraint of its own.
    pub unique: bool,
    /// What a new row gets if its maker gives nothing.
    pub default: Option<Default>,
    /// The table whose `id` it references.
    pub references: Option<TableId>,
    /// A structured value kept as JSON text.
    pub json: bool,
    /// A duration in minutes.
    pub minutes: bool,
    /// The words it may hold; empty if any.
    pub values: Vec<&'static str>,
    /// Words beside [`Column::values`] are allowed.
    pub values_open: bool,
    /// How concurrent edits meet.
    pub merge: Merge,
    /// Concurrent different values are a clinical conflict.
    pub review: bool,
    /// Only roles that may see it get it.
    pub restricted: bool,
    /// Only one row may hold a value: the first in stream order does. Every unique column, and a bed's patient.
    pub claim: bool,
    /// Among concurrent values the first in the stream is shown, not the latest: what belongs to a bed's occupation.
    pub first_in_stream: bool,
}

impl Column {
    /// Documents remember of such a column which transaction wrote it and when: people must settle it.
    pub fn keeps_origin(&self) -> bool {
        self.review || self.claim || self.first_in_stream
    }
}

/// The SQL types that the tables use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SqlType {
    /// `uuid`
    Uuid,
    /// `varchar(n)` in characters, or `varchar`
    Varchar(Option<u32>),
    /// `text`
    Text,
    /// `integer`, 32 bits
    Integer,
    /// `numeric(precision, scale)`
    Numeric {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `boolean`
    Boolean,
    /// `date`
    Date,
    /// `timestamptz`
    Timestamptz,
}

/// What a new row gets where its maker gives nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// The time of the command.
    Now,
    /// A new UUID.
    Uuid,
    /// A literal, in the column's text form.
    Literal(&'static str),
}

/// How concurrent edits of a column meet. See `docs/data-model.md`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merge {
    /// Never changes.
    Identity,
    /// Set by the first write.
    Once,
    /// Set by the engine.
    Derived,
    /// The later write wins, concurrent ones are kept.
    Register,
    /// Increments add up.
    Counter,
    /// Character-wise.
    Text,
    /// Key by key, item by item.
    Json,
    /// Never replicated to a device.
    Server,
}

impl Schema {
    /// The hospital's schema, read once from the declaration.
    pub fn hospital() -> &'static Self {
        static SCHEMA: OnceLock<Schema> = OnceLock::new();
        SCHEMA.get_or_init(|| parse::parse(include_str!("../../schema/hospital.csv")))
    }

    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name).map(|id| self.by_id(*id))
    }

    /// The table of this name, which the code itself names.
    pub fn expect(&self, name: &str) -> &Table {
        self.table(name)
            .unwrap_or_else(|| panic!("BUG: no table {name} in the schema"))
    }

    /// The table with this number, which came from this schema.
    pub fn by_id(&self, id: TableId) -> &Table {
        &self.tables[usize::from(id.0)]
    }

    /// The table with a number that came from outside.
    pub fn get(&self, id: TableId) -> Option<&Table> {
        self.tables.get(usize::from(id.0))
    }
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        // There are so few that looking at each is faster than hashing the name.
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column of this name. What names a row's columns mostly does so in order: the one after `last` is tried first.
    pub fn column_after(&self, last: Option<&Column>, name: &str) -> Option<&Column> {
        let next = self.columns.get(last.map_or(0, |last| usize::from(last.id.0) + 1));
        next.filter(|column| column.name == name).or_else(|| self.column(name))
    }

    /// The column of this name, which the code itself names.
    pub fn expect(&self, name: &str) -> &Column {
        self.column(name)
            .unwrap_or_else(|| panic!("BUG: no column {name} in {}", self.name))
    }

    /// The column with this number, which came from this schema.
    pub fn by_id(&self, id: ColumnId) -> &Column {
        &self.columns[usize::from(id.0)]
    }

    /// The row's id from its key: the UUID itself, or for a composite key a UUID v8 derived from the parts by SHA-256, so
    /// that two devices which make the same row make the same document.
    pub fn row_id(&self, key: &[Uuid]) -> RowId {
        use sha2::Digest;
        assert_eq!(
            key.len(),
            self.primary_key.len(),
            "BUG: key of {} has another number of parts",
            self.name
        );
        if let [only] = key {
            return RowId(*only);
        }
        let mut hasher = sha2::Sha256::new();
        hasher.update(self.name.as_bytes());
        for part in key {
            hasher.update(part.as_bytes());
        }
        let mut id = [0u8; 16];
        id.copy_from_slice(&hasher.finalize()[..16]);
        RowId(uuid::Builder::from_custom_bytes(id).into_uuid())
    }

    /// The names of the primary key's columns.
    pub fn key_names(&self) -> Vec<&'static str> {
        self.primary_key.iter().map(|id| self.by_id(*id).name).collect()
    }

    /// The statements, in either SQL dialect, that index each foreign key which no other key begins with.
    fn foreign_key_indexes(&self) -> impl Iterator<Item = String> {
        self.columns
            .iter()
            .filter(|c| c.references.is_some() && !c.unique && self.primary_key.first() != Some(&c.id))
            .map(|c| format!("CREATE INDEX IF NOT EXISTS {0}_{1}_idx ON {0} ({1})", self.name, c.name))
    }

    /// True if the key has several parts.
    pub fn has_composite_key(&self) -> bool {
        self.primary_key.len() > 1
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid => f.write_str("uuid"),
            Self::Varchar(None) => f.write_str("varchar"),
            Self::Varchar(Some(n)) => write!(f, "varchar({n})"),
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Numeric { precision, scale } => write!(f, "numeric({precision},{scale})"),
            Self::Boolean => f.write_str("boolean"),
            Self::Date => f.write_str("date"),
            Self::Timestamptz => f.write_str("timestamptz"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_has_the_tables_columns_and_keys_that_hospitals_count() {
        let schema = Schema::hospital();
        let columns = || schema.tables.iter().flat_map(|t| &t.columns);
        assert_eq!(schema.tables.len(), 33);
        assert_eq!(columns().count(), 415);
        assert_eq!(columns().filter(|c| c.references.is_some()).count(), 69);
        assert!(schema.tables.iter().all(|t| !t.primary_key.is_empty()));
    }

    #[test]
    fn a_table_is_inserted_after_all_that_it_references() {
        let schema = Schema::hospital();
        let place = |id| schema.insert_order.iter().position(|t| *t == id);
        for table in &schema.tables {
            for target in table
                .columns
                .iter()
                .filter_map(|c| c.references)
                .filter(|t| *t != table.id)
            {
                assert!(
                    place(target) < place(table.id),
                    "{} before {}",
                    schema.by_id(target).name,
                    table.name
                );
            }
        }
    }

    #[test]
    fn a_composite_key_gives_the_same_row_id_everywhere() {
        let table = Schema::hospital().expect("staff_meeting_participants");
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(table.row_id(&[a, b]), table.row_id(&[a, b]));
        assert_ne!(table.row_id(&[a, b]), table.row_id(&[b, a]));
    }
}
