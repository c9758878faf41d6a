//! Writes rows into the hospital's tables.

use holdfast_core::{
    ids::RowId,
    ingest::{Effects, RowKey},
    row::Row,
    schema::{Column, Merge, Schema, Table, TableId},
};
use sqlx::{AssertSqlSafe, PgConnection, query::Query};
use uuid::Uuid;

use super::{StoreError, write::CHUNK};

/// Writes shown rows, referenced ones first, and takes hidden ones out, those that reference first. Constraints are
/// deferred to the end of the transaction, because rows may refer to each other.
pub(super) async fn write(connection: &mut PgConnection, effects: &Effects) -> Result<(), StoreError> {
    if effects.rows.is_empty() {
        return Ok(());
    }
    let order = &Schema::hospital().insert_order;
    for table in order {
        let rows = of_table(effects, *table, true);
        let (new, known): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(key, _)| effects.new.rows.contains(key));
        let table = Schema::hospital().by_id(*table);
        for chunk in new.chunks(CHUNK) {
            insert(connection, table, chunk, "").await?;
        }
        for chunk in known.chunks(CHUNK) {
            // Somebody may have taken one out by hand.
            if update(connection, table, chunk).await? < chunk.len() as u64 {
                let unless_there = format!("ON CONFLICT ({}) DO NOTHING", table.key_names().join(", "));
                insert(connection, table, chunk, &unless_there).await?;
            }
        }
    }
    for table in order.iter().rev() {
        for chunk in of_table(effects, *table, false).chunks(CHUNK) {
            take(connection, Schema::hospital().by_id(*table), chunk).await?;
        }
    }
    Ok(())
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
async fn insert(
    connection: &mut PgConnection,
    table: &Table,
    rows: &[(&RowKey, &Row)],
    on_conflict: &str,
) -> Result<(), StoreError> {
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
    bind_columns(sqlx::query(AssertSqlSafe(sql)), &held, rows)
        .execute(connection)
        .await?;
    Ok(())
}

/// Brings rows up to date. Returns how many of them are in the table; 0 if it has nothing but its key.
async fn update(connection: &mut PgConnection, table: &Table, rows: &[(&RowKey, &Row)]) -> Result<u64, StoreError> {
    let held = held(table);
    let (key, others): (Vec<_>, Vec<_>) = (0..)
        .zip(&held)
        .map(|(i, c)| (c, format!("\"{}\" = {}", c.name, value(i, c))))
        .partition(|(c, _)| table.primary_key.contains(&c.id));
    let set: Vec<String> = others.into_iter().map(|(_, set)| set).collect();
    if set.is_empty() {
        return Ok(0);
    }
    let same: Vec<String> = key.into_iter().map(|(_, same)| format!("t.{same}")).collect();
    let sql = format!(
        "UPDATE {table} AS t SET {set} FROM ({rows}) AS k WHERE {same}",
        table = table.name,
        set = set.join(", "),
        rows = unnested(held.len()),
        same = same.join(" AND "),
    );
    let done = bind_columns(sqlx::query(AssertSqlSafe(sql)), &held, rows)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
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
async fn take(connection: &mut PgConnection, table: &Table, rows: &[(&RowKey, &Row)]) -> Result<(), StoreError> {
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
    bind_columns(sqlx::query(AssertSqlSafe(sql)), &key, rows)
        .execute(connection)
        .await?;
    Ok(())
}

type PgQuery<'q> = Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// Binds one array of texts for each column.
fn bind_columns<'q>(query: PgQuery<'q>, columns: &[&Column], rows: &[(&RowKey, &Row)]) -> PgQuery<'q> {
    columns.iter().fold(query, |query, column| {
        let values: Vec<Option<String>> = rows.iter().map(|(_, row)| row.get(column.id).to_sql_text()).collect();
        query.bind(values)
    })
}
