//! The yardstick: the same rows, from memory, into the same table with the same keys and indexes, in one statement and one
//! transaction. No log, no documents, no checks.

use std::time::{Duration, Instant};

use holdfast_core::schema::{Schema, Side, postgres, sqlite};
use holdfast_server::store::Location;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::{
    postgres::{Database, block_on},
    server::{Kind, Server},
};

type Rows = Vec<Vec<Option<String>>>;

/// Inserts the patients that this server holds into an empty database of the same kind.
pub(super) fn insert(kind: Kind, server: &Server, expected: usize) -> Duration {
    match (kind, server.location()) {
        (Kind::Postgres, Location::Database(url)) => block_on(into_postgres(&url, expected)),
        (_, Location::Folder(folder)) => into_sqlite(&folder.join("holdfast.sqlite"), expected),
        _ => unreachable!("BUG: a PostgreSQL server has a database"),
    }
}

fn names() -> Vec<&'static str> {
    Schema::hospital()
        .expect("patients")
        .columns
        .iter()
        .map(|c| c.name)
        .collect()
}

async fn into_postgres(from: &str, expected: usize) -> Duration {
    let mut source = PgConnection::connect(from).await.expect("PostgreSQL answers");
    let texts: Vec<String> = names().iter().map(|n| format!("{n}::text")).collect();
    let sql = format!("SELECT ARRAY[{}] FROM patients", texts.join(", "));
    let found = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(&mut source)
        .await
        .expect("rows");
    let rows: Rows = found.iter().map(|record| record.try_get(0).expect("texts")).collect();
    assert_eq!(rows.len(), expected, "every row is in the table");

    let database = Database::create();
    let mut target = PgConnection::connect(&database.url())
        .await
        .expect("PostgreSQL answers");
    for statement in postgres(Schema::hospital()) {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut target)
            .await
            .expect("a table");
    }
    let table = Schema::hospital().expect("patients");
    let casts: Vec<String> = table
        .columns
        .iter()
        .map(|c| format!("k.{}::{}", c.name, c.sql_type))
        .collect();
    let arrays: Vec<String> = (1..=names().len()).map(|i| format!("${i}::text[]")).collect();
    let sql = format!(
        "INSERT INTO patients ({0}) SELECT {1} FROM unnest({2}) AS k ({0})",
        names().join(", "),
        casts.join(", "),
        arrays.join(", ")
    );
    let begun = Instant::now();
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for i in 0..names().len() {
        query = query.bind(rows.iter().map(|row| row[i].clone()).collect::<Vec<_>>());
    }
    query.execute(&mut target).await.expect("the rows go in");
    let took = begun.elapsed();
    target.close().await.ok();
    took
}

fn into_sqlite(from: &std::path::Path, expected: usize) -> Duration {
    let source = rusqlite::Connection::open(from).expect("the file opens");
    let sql = format!("SELECT {} FROM patients", names().join(", "));
    let mut statement = source.prepare(&sql).expect("the table is there");
    let columns = names().len();
    let found = statement.query_map([], |row| (0..columns).map(|i| row.get(i)).collect());
    let rows: Result<Rows, _> = found.and_then(Iterator::collect);
    let rows = rows.expect("rows");
    assert_eq!(rows.len(), expected, "every row is in the table");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut target = rusqlite::Connection::open(folder.path().join("bulk.sqlite")).expect("a file");
    let wal = target.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    wal.expect("the journal is set");
    for statement in sqlite(Schema::hospital(), Side::Server) {
        target.execute_batch(&statement).expect("a table");
    }
    let places: Vec<String> = (1..=columns).map(|i| format!("?{i}")).collect();
    let sql = format!(
        "INSERT INTO patients ({}) VALUES ({})",
        names().join(", "),
        places.join(", ")
    );
    let begun = Instant::now();
    let transaction = target.transaction().expect("a transaction");
    let mut insert = transaction.prepare(&sql).expect("the table is there");
    for row in &rows {
        insert
            .execute(rusqlite::params_from_iter(row))
            .expect("the row goes in");
    }
    drop(insert);
    transaction.commit().expect("the rows are there");
    begun.elapsed()
}
