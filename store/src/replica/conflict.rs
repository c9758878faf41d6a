//! The conflicts, as the page shows them.

use holdfast_core::{
    document::Actor,
    ids::{DeviceId, RowId, Timestamp},
    schema::Schema,
};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde_json::Value as Json;

use super::Replica;
use crate::{StoreError, conflicts::StoredSide, hex, sql_value::uuid_text, tables::Tables};

/// What a person must settle.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// Its name.
    pub id: String,
    /// `concurrent`, `claim`, `deleted` or `negative`
    pub kind: String,
    /// The row's table.
    pub table: String,
    /// The row's key, as commands name it.
    pub row: String,
    /// The column, if it is about one.
    pub column: Option<String>,
    /// What a person has to do, in words.
    pub task: String,
    /// The values that people meant.
    pub sides: Vec<ConflictSide>,
    /// ISO 8601.
    pub raised_at: String,
}

/// A value that somebody meant.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConflictSide {
    /// As a query gives it.
    pub value: Json,
    /// The tables show it now.
    pub shown: bool,
    /// Who.
    pub user_id: Option<String>,
    /// First and last name.
    pub user_name: Option<String>,
    /// Where.
    pub device_id: Option<DeviceId>,
    /// When, ISO 8601.
    pub time: Option<String>,
}

impl Replica {
    /// Open conflicts, newest first.
    pub fn conflicts(&self) -> Result<Vec<Conflict>, StoreError> {
        let sql = "SELECT id, kind, tbl, row, col, task, sides, raised_at FROM sync_conflicts
            WHERE settled_at IS NULL ORDER BY raised_at DESC, id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([])?;
        let mut conflicts = Vec::new();
        while let Some(row) = found.next()? {
            let (table, id): (String, String) = (row.get(2)?, row.get(3)?);
            let sides: Vec<StoredSide> =
                serde_json::from_str(&row.get::<_, String>(6)?).map_err(StoreError::corrupt)?;
            conflicts.push(Conflict {
                id: row.get(0)?,
                kind: row.get(1)?,
                row: key_text(&self.connection, &table, id)?,
                table,
                column: row.get(4)?,
                task: row.get(5)?,
                sides: sides
                    .into_iter()
                    .map(|side| read_side(&self.connection, side))
                    .collect::<Result<_, _>>()?,
                raised_at: Timestamp(row.get(7)?).to_string(),
            });
        }
        Ok(conflicts)
    }
}

/// How many are open.
pub(super) fn count(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM sync_conflicts WHERE settled_at IS NULL";
    let count: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

fn key_text(connection: &Connection, table: &str, id: String) -> Result<String, StoreError> {
    match Schema::hospital().table(table) {
        Some(table) => Tables(connection).key_text(table, RowId(uuid_text(&id)?)),
        None => Ok(id),
    }
}

fn read_side(connection: &Connection, side: StoredSide) -> Result<ConflictSide, StoreError> {
    let actor = side.actor.as_deref().and_then(hex::decode).map(Actor::from);
    let sql = "SELECT a.user, u.first_name || ' ' || u.last_name
        FROM sync_actors AS a LEFT JOIN users AS u ON u.id = a.user WHERE a.actor = ?1";
    let user: Option<(String, Option<String>)> = match &actor {
        Some(actor) => connection
            .prepare_cached(sql)?
            .query_row([actor.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
        None => None,
    };
    let (user_id, user_name) = user.map_or((None, None), |(id, name)| (Some(id), name));
    Ok(ConflictSide {
        value: match side.value {
            Json::Bool(b) => i64::from(b).into(),
            other => other,
        },
        shown: side.shown,
        user_id,
        user_name,
        device_id: actor.as_ref().and_then(Actor::device),
        time: side.time,
    })
}
