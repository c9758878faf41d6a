//! Writes rows into the hospital's tables.

use std::sync::Arc;

use holdfast_core::{
    ids::RowId,
    ingest::{Effects, RowKey},
    row::Row,
    schema::{Column, Merge, Schema, Table, TableId},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::write::{CHUNK, Statement, Step};

/// Writes shown rows, referenced ones first, and takes hidden ones out, those that reference first. Constraints are
/// deferred to the end of the transaction, because rows may refer to each other.
pub(super) fn write(steps: &mut Vec<Step>, effects: &Arc<Effects>) {
    if effects.rows.is_empty() {
        return;
    }
    let order = &Schema::hospital().insert_order;
    for table in order {
        let rows = of_table(effects, *table, true);
        let (new, known): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(key, _)| effects.new.rows.contains(key));
        let table = Schema::hospital().by_id(*table);
        steps.extend(new.chunks(CHUNK).map(|chunk| Step::Run(insert(table, chunk, ""))));
        steps.extend(known.chunks(CHUNK).map(|chunk| put(table, chunk, effects)));
    }
    for table in order.iter().rev() {
        let hidden = of_table(effects, *table, false);
        let table = Schema::hospital().by_id(*table);
        steps.extend(hidden.chunks(CHUNK).map(|chunk| Step::Run(take(table, chunk))));
    }
}

/// Brings rows up to date. Somebody may have taken one out by hand.
fn put(table: &'static Table, rows: &[(&RowKey, &Row)], effects: &Arc<Effects>) -> Step {
    let unless_there = format!("ON CONFLICT ({}) DO NOTHING", table.key_names().join(", "));
    let Some(update) = update(table, rows) else {
        return Step::Run(insert(table, rows, &unless_there));
    };
    let keys: Vec<RowKey> = rows.iter().map(|(key, _)| **key).collect();
    let (effects, count) = (Arc::clone(effects), rows.len() as u64);
    let insert_missing = move || {
        let rows: Vec<_> = keys.iter().map(|key| (key, &effects.rows[key].row)).collect();
        insert(table, &rows, &unless_there)
    };
    Step::Update(update, count, Box::new(insert_missing))
}

/// The rows of one table: the keys are sorted by table.
fn of_table(effects: &Effects, table: TableId, shown: bool) -> Vec<(&RowKey, &Row)> {
    let first = RowKey {
        table,
        row: RowId(Uuid::nil()),
    };
    let last = RowKey {
        table,
        row: RowId(Uuid::max()),
    };
    let rows = effects.rows.range(first..=last);
    rows.filter(|(_, state)| state.shown == shown)
        .map(|(key, state)| (key, &state.row))
        .collect()
}

fn held(table: &Table) -> Vec<&Column> {
    table.columns.iter().filter(|c| c.merge != Merge::Server).collect()
}

/// Inserts rows.
fn insert(table: &Table, rows: &[(&RowKey, &Row)], on_conflict: &str) -> Statement {
    let held = held(table);
    let mut names: Vec<String> = held.iter().map(|c| format!("\"{}\"", c.name)).collect();
    let mut values: Vec<String> = (0..).zip(&held).map(|(i, c)| value(i, c)).collect();
    for column in table.columns.iter().filter(|c| c.merge == Merge::Server) {
        // The one such column: `users.password_hash`. An update leaves it as it is.
        names.push(format!("\"{}\"", column.name));
        values.push(
            "COALESCE((SELECT s.password_hash FROM sync.credentials s WHERE s.user_id = k.c0::uuid), '!')".to_owned(),
        );
    }
    let sql = format!(
        "INSERT INTO {table} ({names}) SELECT {values} FROM ({rows}) AS k {on_conflict}",
        table = table.name,
        names = names.join(", "),
        values = values.join(", "),
        rows = unnested(held.len()),
    );
    bind_columns(&sql, &held, rows)
}

/// Brings those rows up to date that are in the table; `None` if it has nothing but its key.
fn update(table: &Table, rows: &[(&RowKey, &Row)]) -> Option<Statement> {
    let held = held(table);
    let (key, others): (Vec<_>, Vec<_>) = (0..)
        .zip(&held)
        .map(|(i, c)| (c, format!("\"{}\" = {}", c.name, value(i, c))))
        .partition(|(c, _)| table.primary_key.contains(&c.id));
    let set: Vec<String> = others.into_iter().map(|(_, set)| set).collect();
    if set.is_empty() {
        return None;
    }
    let same: Vec<String> = key.into_iter().map(|(_, same)| format!("t.{same}")).collect();
    let sql = format!(
        "UPDATE {table} AS t SET {set} FROM ({rows}) AS k WHERE {same}",
        table = table.name,
        set = set.join(", "),
        rows = unnested(held.len()),
        same = same.join(" AND "),
    );
    Some(bind_columns(&sql, &held, rows))
}

/// A column's value out of the array at this place of [`unnested`].
fn value(place: usize, column: &Column) -> String {
    format!("k.c{place}::{}", column.sql_type)
}

/// Rows out of one array of texts for each column: `c0`, `c1`, …
fn unnested(columns: usize) -> String {
    let columns: Vec<String> = (0..columns)
        .map(|i| format!("unnest(${}::text[]) AS c{i}", i + 1))
        .collect();
    format!("SELECT {}", columns.join(", "))
}

/// Deletes rows.
fn take(table: &Table, rows: &[(&RowKey, &Row)]) -> Statement {
    let key: Vec<&Column> = table.primary_key.iter().map(|id| table.by_id(*id)).collect();
    let same: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(i, c)| format!("t.\"{}\" = {}", c.name, value(i, c)))
        .collect();
    let sql = format!(
        "DELETE FROM {table} t USING ({rows}) AS k WHERE {same}",
        table = table.name,
        rows = unnested(key.len()),
        same = same.join(" AND "),
    );
    bind_columns(&sql, &key, rows)
}

/// Binds one array of texts for each column.
fn bind_columns(sql: &str, columns: &[&Column], rows: &[(&RowKey, &Row)]) -> Statement {
    let statement = sqlx::query(AssertSqlSafe(sql));
    columns.iter().fold(statement, |statement, column| {
        let values: Vec<Option<String>> = rows.iter().map(|(_, row)| row.get(column.id).to_sql_text()).collect();
        statement.bind(values)
    })
}
