//! Writes rows into the hospital's tables.

use std::{collections::BTreeSet, sync::Arc};

use holdfast_core::{
    ids::RowId,
    ingest::{Effects, RowKey},
    row::Row,
    schema::{Column, ColumnId, Merge, Schema, Table, TableId},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::write::{CHUNK, Statement, Step};

/// How many columns an update sets that does not set all.
const FEW: usize = 6;

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
        let altered: Vec<_> = known.into_iter().filter(|(key, _)| is_altered(effects, key)).collect();
        steps.extend(altered.chunks(CHUNK).map(|chunk| put(table, chunk, effects)));
    }
    for table in order.iter().rev() {
        let hidden = of_table(effects, *table, false);
        let table = Schema::hospital().by_id(*table);
        steps.extend(hidden.chunks(CHUNK).map(|chunk| Step::Run(take(table, chunk))));
    }
}

/// False if a row is in its table as it should be.
fn is_altered(effects: &Effects, key: &RowKey) -> bool {
    effects.changed.get(key).is_none_or(|columns| !columns.is_empty())
}

/// The columns that change in one of the rows; all of the table if they are many: each selection is a statement of its own,
/// which PostgreSQL has to plan once.
fn altered(table: &'static Table, rows: &[(&RowKey, &Row)], effects: &Effects) -> Vec<&'static Column> {
    let mut altered: BTreeSet<ColumnId> = BTreeSet::new();
    let all_known = rows.iter().all(|(key, _)| match effects.changed.get(*key) {
        Some(columns) => {
            altered.extend(columns);
            altered.len() <= FEW
        }
        None => false,
    });
    let is_written = |column: &&Column| !all_known || altered.contains(&column.id);
    held(table).into_iter().filter(is_written).collect()
}

/// Brings rows up to date. Somebody may have taken one out by hand.
fn put(table: &'static Table, rows: &[(&RowKey, &Row)], effects: &Arc<Effects>) -> Step {
    let unless_there = format!("ON CONFLICT ({}) DO NOTHING", table.key_names().join(", "));
    let Some(update) = update(table, &altered(table, rows, effects), rows) else {
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

/// The columns that the documents have.
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

/// Brings columns of those rows up to date that are in the table; `None` if there are none but its key.
fn update(table: &'static Table, columns: &[&'static Column], rows: &[(&RowKey, &Row)]) -> Option<Statement> {
    let key = table.primary_key.iter().map(|id| table.by_id(*id));
    let others = columns.iter().copied().filter(|c| !table.primary_key.contains(&c.id));
    let bound: Vec<&Column> = key.chain(others).collect();
    let equal = |(i, column): (usize, &Column)| format!("\"{}\" = {}", column.name, value(i, column));
    let mut equal: Vec<String> = bound.iter().copied().enumerate().map(equal).collect();
    let set = equal.split_off(table.primary_key.len());
    if set.is_empty() {
        return None;
    }
    let sql = format!(
        "UPDATE {table} AS t SET {set} FROM ({rows}) AS k WHERE {same}",
        table = table.name,
        set = set.join(", "),
        rows = unnested(bound.len()),
        same = equal
            .iter()
            .map(|same| format!("t.{same}"))
            .collect::<Vec<_>>()
            .join(" AND "),
    );
    Some(bind_columns(&sql, &bound, rows))
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
