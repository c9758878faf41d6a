//! Writes rows into the hospital's tables.

use std::collections::BTreeMap;

use holdfast_core::{
    ids::RowId,
    ingest::{RowKey, RowState},
    row::Row,
    schema::{Column, Merge, Schema, Table, TableId},
};
use sqlx::{AssertSqlSafe, PgConnection, query::Query};
use uuid::Uuid;

use super::{StoreError, write::CHUNK};

/// Writes shown rows, referenced ones first, and takes hidden ones out, those that reference first. Constraints are
/// deferred to the end of the transaction, because rows may refer to each other.
pub(super) async fn write(connection: &mut PgConnection, rows: &BTreeMap<RowKey, RowState>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let order = &Schema::hospital().insert_order;
    for table in order {
        for chunk in of_table(rows, *table, true).chunks(CHUNK) {
            put(connection, Schema::hospital().by_id(*table), chunk).await?;
        }
    }
    for table in order.iter().rev() {
        for chunk in of_table(rows, *table, false).chunks(CHUNK) {
            take(connection, Schema::hospital().by_id(*table), chunk).await?;
        }
    }
    Ok(())
}

/// The rows of one table: the keys are sorted by table.
fn of_table(rows: &BTreeMap<RowKey, RowState>, table: TableId, shown: bool) -> Vec<&Row> {
    let first = RowKey {
        table,
        row: RowId(Uuid::nil()),
    };
    let last = RowKey {
        table,
        row: RowId(Uuid::max()),
    };
    rows.range(first..=last)
        .filter(|(_, state)| state.shown == shown)
        .map(|(_, state)| &state.row)
        .collect()
}

/// Inserts or updates rows.
async fn put(connection: &mut PgConnection, table: &Table, rows: &[&Row]) -> Result<(), StoreError> {
    let held: Vec<&Column> = table.columns.iter().filter(|c| c.merge != Merge::Server).collect();
    let sql = put_statement(table, &held);
    bind_columns(sqlx::query(AssertSqlSafe(sql)), &held, rows)
        .execute(connection)
        .await?;
    Ok(())
}

fn put_statement(table: &Table, held: &[&Column]) -> String {
    let mut names: Vec<String> = held.iter().map(|c| format!("\"{}\"", c.name)).collect();
    let updates: Vec<String> = held
        .iter()
        .filter(|c| !c.primary_key)
        .map(|c| format!("\"{0}\" = excluded.\"{0}\"", c.name))
        .collect();
    let mut values: Vec<String> = held
        .iter()
        .enumerate()
        .map(|(i, c)| format!("k.c{i}::{}", c.sql_type))
        .collect();
    let arrays: Vec<String> = (1..=held.len()).map(|i| format!("${i}::text[]")).collect();
    let aliases: Vec<String> = (0..held.len()).map(|i| format!("c{i}")).collect();
    for column in table.columns.iter().filter(|c| c.merge == Merge::Server) {
        // The one such column: `users.password_hash`. An update leaves it as it is.
        names.push(format!("\"{}\"", column.name));
        values.push(
            "COALESCE((SELECT s.password_hash FROM sync.credentials s WHERE s.user_id = k.c0::uuid), '!')".to_owned(),
        );
    }
    let on_conflict = if updates.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!("UPDATE SET {}", updates.join(", "))
    };
    format!(
        "INSERT INTO {table} ({names}) SELECT {values} FROM unnest({arrays}) AS k ({aliases})
         ON CONFLICT ({key}) DO {on_conflict}",
        table = table.name,
        names = names.join(", "),
        values = values.join(", "),
        arrays = arrays.join(", "),
        aliases = aliases.join(", "),
        key = table.key_names().join(", "),
    )
}

/// Deletes rows.
async fn take(connection: &mut PgConnection, table: &Table, rows: &[&Row]) -> Result<(), StoreError> {
    let key: Vec<&Column> = table.primary_key.iter().map(|id| table.by_id(*id)).collect();
    let arrays: Vec<String> = (1..=key.len()).map(|i| format!("${i}::text[]")).collect();
    let aliases: Vec<String> = (0..key.len()).map(|i| format!("c{i}")).collect();
    let same: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(i, c)| format!("t.\"{}\" = k.c{i}::{}", c.name, c.sql_type))
        .collect();
    let sql = format!(
        "DELETE FROM {table} t USING unnest({arrays}) AS k ({aliases}) WHERE {same}",
        table = table.name,
        arrays = arrays.join(", "),
        aliases = aliases.join(", "),
        same = same.join(" AND "),
    );
    bind_columns(sqlx::query(AssertSqlSafe(sql)), &key, rows)
        .execute(connection)
        .await?;
    Ok(())
}

type PgQuery<'q> = Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// Binds one array of texts for each column.
fn bind_columns<'q>(query: PgQuery<'q>, columns: &[&Column], rows: &[&Row]) -> PgQuery<'q> {
    columns.iter().fold(query, |query, column| {
        let values: Vec<Option<String>> = rows.iter().map(|row| row.get(column.id).to_sql_text()).collect();
        query.bind(values)
    })
}
