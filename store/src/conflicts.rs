//! `sync_conflicts`: what people have to settle.

use holdfast_core::{
    command::OpenConflict,
    document::Actor,
    ids::{RowId, Timestamp},
    ingest::{Conflict, ConflictId, Side},
    schema::{Column, Schema},
    value::Value,
};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{StoreError, sql_value};

/// A side as the table keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredSide {
    /// As JSON: see core's `Value::to_json`.
    pub value: Json,
    /// The tables show it.
    pub shown: bool,
    /// Hexadecimal digits.
    pub actor: Option<String>,
    /// ISO 8601.
    pub time: Option<String>,
}

impl From<&Side> for StoredSide {
    fn from(side: &Side) -> Self {
        Self {
            value: side.value.to_json(),
            shown: side.shown,
            actor: side.actor.as_ref().map(to_hex),
            time: side.time.map(|t| t.to_string()),
        }
    }
}

fn to_hex(actor: &Actor) -> String {
    crate::hex::encode(actor.as_bytes())
}

/// The sides of a conflict as JSON, the same in both stores.
pub fn sides_json(sides: &[Side]) -> String {
    let sides: Vec<StoredSide> = sides.iter().map(StoredSide::from).collect();
    serde_json::to_string(&sides).expect("BUG: encoding into memory cannot fail")
}

/// Writes a conflict that is open. One that was open already keeps the time at which it was raised.
pub(crate) fn raise(connection: &Connection, conflict: &Conflict) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_conflicts (id, kind, tbl, row, col, task, sides, raised_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (id) DO UPDATE SET task = excluded.task, sides = excluded.sides, settled_at = NULL,
            raised_at = CASE WHEN settled_at IS NULL THEN raised_at ELSE excluded.raised_at END";
    connection.prepare_cached(sql)?.execute((
        conflict.id.to_string(),
        conflict.kind.name(),
        Schema::hospital().by_id(conflict.row.table).name,
        conflict.row.row.to_string(),
        conflict.column,
        &conflict.task,
        sides_json(&conflict.sides),
        conflict.raised_at.0,
    ))?;
    Ok(())
}

/// Marks a conflict as settled.
pub(crate) fn settle(connection: &Connection, id: ConflictId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE sync_conflicts SET settled_at = ?2 WHERE id = ?1 AND settled_at IS NULL";
    connection.prepare_cached(sql)?.execute((id.to_string(), now.0))?;
    Ok(())
}

/// The open conflict with this id.
pub(crate) fn open(connection: &Connection, id: &str) -> Result<Option<OpenConflict>, StoreError> {
    let sql = "SELECT tbl, row, col, sides FROM sync_conflicts WHERE id = ?1 AND settled_at IS NULL";
    let found = connection
        .prepare_cached(sql)?
        .query_row([id], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, String>(3)?,
            ))
        })
        .optional()?;
    let Some((table, row, column, sides)) = found else {
        return Ok(None);
    };
    let unknown = || {
        StoreError::corrupt(format!(
            "a conflict in {table}.{}",
            column.as_deref().unwrap_or_default()
        ))
    };
    let table = Schema::hospital().table(&table).ok_or_else(unknown)?;
    let column = match &column {
        Some(name) => Some(table.column(name).ok_or_else(unknown)?),
        None => None,
    };
    Ok(Some(OpenConflict {
        id: id.to_owned(),
        table: table.id,
        row: RowId(sql_value::uuid_text(&row)?),
        column: column.map(|c| c.id),
        sides: values(column, &sides)?,
    }))
}

fn values(column: Option<&Column>, sides: &str) -> Result<Vec<Value>, StoreError> {
    let sides: Vec<StoredSide> = serde_json::from_str(sides).map_err(StoreError::corrupt)?;
    let Some(column) = column else { return Ok(Vec::new()) };
    let value = |side: StoredSide| Value::from_json(column, &side.value).map_err(StoreError::corrupt);
    sides.into_iter().map(value).collect()
}
