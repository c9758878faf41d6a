//! The 33 tables: their rows read and written.

use std::sync::OnceLock;

use holdfast_core::{
    command::{OpenConflict, ReadError, Reader},
    document::{Document, DocumentId},
    ids::RowId,
    row::Row,
    schema::{Column, ColumnId, Merge, Schema, Side, Table},
    value::Value,
};
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::{
    StoreError, conflicts,
    sql_value::{self, Bound},
};

/// A table's statements on one side.
pub(crate) struct Statements {
    /// Inserts a row that is not there. Parameters: the replicated columns. SQLite keeps a way back for each statement that may
    /// write to more than one row, as the next one may; not for this.
    pub insert: String,
    /// Inserts a row or brings it up to date. Parameters: the replicated columns.
    pub upsert: String,
    /// Deletes a row. Parameters: the key.
    pub delete: String,
    /// Deletes a row that holds other unique values than these. Parameters: the key, the unique columns. A row that takes
    /// another's value then never meets it; references to the row wait for the end of the transaction.
    pub clear: Option<String>,
}

impl Statements {
    /// Those of a table.
    pub fn of(table: &Table, side: Side) -> &'static Self {
        static SERVER: OnceLock<Vec<Statements>> = OnceLock::new();
        static DEVICE: OnceLock<Vec<Statements>> = OnceLock::new();
        let cell = match side {
            Side::Server => &SERVER,
            Side::Device => &DEVICE,
        };
        let all = cell.get_or_init(|| Schema::hospital().tables.iter().map(|t| Self::build(t, side)).collect());
        &all[usize::from(table.id.0)]
    }

    fn build(table: &Table, side: Side) -> Self {
        let name = table.name;
        let keys = table.key_names();
        let is_key = |c: &&Column| table.primary_key.contains(&c.id);
        let mut columns: Vec<&str> = replicated(table).map(|c| c.name).collect();
        let mut values: Vec<String> = (1..=columns.len()).map(|i| format!("?{i}")).collect();
        let updates: Vec<String> = replicated(table)
            .filter(|c| !is_key(c))
            .map(|c| format!("{0} = excluded.{0}", c.name))
            .collect();
        for secret in table
            .columns
            .iter()
            .filter(|c| c.merge == Merge::Server && side.holds(c))
        {
            columns.push(secret.name);
            values.push(format!(
                "coalesce((SELECT {} FROM sync_credentials WHERE user = ?1), '!')",
                secret.name
            ));
        }
        let update = if updates.is_empty() {
            "NOTHING".to_owned()
        } else {
            format!("UPDATE SET {}", updates.join(", "))
        };
        let key_is: Vec<String> = (1..).zip(&keys).map(|(i, key)| format!("{key} = ?{i}")).collect();
        let key_is = key_is.join(" AND ");
        let others: Vec<String> = (keys.len() + 1..)
            .zip(unique(table))
            .map(|(i, c)| format!("{} IS NOT ?{i}", c.name))
            .collect();
        let insert = format!(
            "INSERT INTO {name} ({}) VALUES ({})",
            columns.join(", "),
            values.join(", ")
        );
        Self {
            upsert: format!("{insert} ON CONFLICT ({}) DO {update}", keys.join(", ")),
            insert,
            delete: format!("DELETE FROM {name} WHERE {key_is}"),
            clear: (!others.is_empty())
                .then(|| format!("DELETE FROM {name} WHERE {key_is} AND ({})", others.join(" OR "))),
        }
    }
}

/// The columns that documents hold.
pub(crate) fn replicated(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|c| c.merge != Merge::Server)
}

/// The columns, besides the key, with a unique constraint.
pub(crate) fn unique(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|c| c.unique && !c.primary_key)
}

/// The key's values in a row.
pub(crate) fn key_values<'r>(table: &'r Table, row: &'r Row) -> impl Iterator<Item = &'r Value> {
    table.primary_key.iter().map(|id| row.get(*id))
}

/// The tables, open for reading.
pub(crate) struct Tables<'c>(pub &'c Connection);

impl Tables<'_> {
    /// The key of a row; `None` if it has several parts and no document tells them.
    fn key(&self, table: &Table, id: RowId) -> Result<Option<Vec<Value>>, StoreError> {
        if !table.has_composite_key() {
            return Ok(Some(vec![id.into()]));
        }
        let part = DocumentId::main(table.id, id).part();
        let sql = "SELECT state FROM sync_documents WHERE part = ?1 AND row = ?2";
        let state: Option<Vec<u8>> = self
            .0
            .prepare_cached(sql)?
            .query_row((part, id.0.as_bytes()), |row| row.get(0))
            .optional()?;
        let Some(state) = state else { return Ok(None) };
        let document = Document::from_bytes(&state).map_err(StoreError::corrupt)?;
        let key = table.primary_key.iter();
        Ok(Some(key.map(|id| document.value(table.by_id(*id), false)).collect()))
    }

    /// A row's key as commands name it: parts joined by `/`.
    pub fn key_text(&self, table: &Table, id: RowId) -> Result<String, StoreError> {
        let key = self.key(table, id)?.unwrap_or_else(|| vec![id.into()]);
        let parts: Vec<String> = key.iter().filter_map(Value::to_sql_text).collect();
        Ok(parts.join("/"))
    }

    /// Rows by their columns' values, ordered by primary key.
    pub fn select(&self, table: &Table, filter: &[(ColumnId, Value)]) -> Result<Vec<Row>, StoreError> {
        let columns: Vec<&str> = replicated(table).map(|c| c.name).collect();
        let conditions = (1..)
            .zip(filter)
            .map(|(i, (column, _))| format!("{} IS ?{i}", table.by_id(*column).name));
        let conditions: Vec<String> = std::iter::once("true".to_owned()).chain(conditions).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {}",
            columns.join(", "),
            table.name,
            conditions.join(" AND "),
            table.key_names().join(", ")
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let mut found = statement.query(params_from_iter(filter.iter().map(|(_, value)| Bound::of(value))))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push(read_row(table, row)?);
        }
        Ok(rows)
    }
}

fn read_row(table: &Table, found: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    let mut values = vec![Value::Null; table.columns.len()];
    for (i, column) in replicated(table).enumerate() {
        values[usize::from(column.id.0)] = sql_value::read(column, found.get_ref(i)?)?;
    }
    let mut row = Row {
        table: table.id,
        id: RowId(uuid::Uuid::nil()),
        values,
    };
    row.id = row_id(table, key_values(table, &row))?;
    Ok(row)
}

/// The row that a key names.
pub(crate) fn row_id<'v>(table: &Table, key: impl Iterator<Item = &'v Value>) -> Result<RowId, StoreError> {
    let key: Option<Vec<_>> = key
        .map(|value| match value {
            Value::Uuid(id) => Some(*id),
            _ => None,
        })
        .collect();
    let key = key.ok_or_else(|| StoreError::corrupt(format!("a key of {} is no UUID", table.name)))?;
    Ok(table.row_id(&key))
}

impl Reader for Tables<'_> {
    fn row(&self, table: &Table, id: RowId) -> Result<Option<Row>, ReadError> {
        let Some(key) = self.key(table, id)? else {
            return Ok(None);
        };
        let filter: Vec<_> = table.primary_key.iter().copied().zip(key).collect();
        Ok(self.select(table, &filter)?.into_iter().next())
    }

    fn find(&self, table: &Table, filter: &[(ColumnId, Value)]) -> Result<Vec<Row>, ReadError> {
        Ok(self.select(table, filter)?)
    }

    fn conflict(&self, id: &str) -> Result<Option<OpenConflict>, ReadError> {
        Ok(conflicts::open(self.0, id)?)
    }
}

/// Empties the 33 tables and forgets the documents behind them, inside the caller's transaction: references wait for its end.
pub(crate) fn clear(connection: &Connection) -> Result<(), StoreError> {
    let engine = ["sync_documents", "sync_claims", "sync_conflicts"];
    let tables = Schema::hospital().insert_order.iter().rev();
    for table in tables.map(|id| Schema::hospital().by_id(*id).name).chain(engine) {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}
