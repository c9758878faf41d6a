//! The yardstick: the same rows and the same log entries, from memory, into the same tables with the same keys and indexes, a
//! few statements and one transaction. No documents, no history, no claims, no checks of a signature.

use std::time::{Duration, Instant};

use holdfast_core::{
    ids::RowId,
    schema::{Schema, Side, Table, postgres, sqlite},
};
use holdfast_server::store::Location;
use rusqlite::types::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use super::rows::{Made, TABLES};
use crate::{
    postgres::{Database, block_on},
    server::Server,
};

/// How many rows one statement of PostgreSQL carries.
const STATEMENT: usize = 10_000;

/// What it is called in tables.
pub const NAME: &str = "plain bulk upsert of the same rows and log entries";

/// As the server's own.
const POSTGRES_LOG: &str = "CREATE TABLE log (seq bigint PRIMARY KEY, id uuid NOT NULL UNIQUE, user_id uuid NOT NULL,
    device uuid NOT NULL, time timestamptz NOT NULL, accepted_at timestamptz NOT NULL, entry bytea NOT NULL)";
const SQLITE_LOG: &str = "CREATE TABLE log (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, user TEXT NOT NULL,
    device TEXT NOT NULL, time INTEGER NOT NULL, accepted_at INTEGER NOT NULL, entry BLOB NOT NULL) STRICT";

/// A database of the same kind as a server's, with what the server had when it was made.
pub struct Yardstick {
    target: Target,
    /// The last entry of the server's log that is here.
    seq: i64,
}

enum Target {
    Postgres(Box<Database>),
    Sqlite(tempfile::TempDir),
}

impl Yardstick {
    /// A copy of the server's tables as they are now.
    pub fn beside(server: &Server) -> Self {
        match server.location() {
            Location::Database(url) => block_on(copy_of_postgres(&url)),
            Location::Folder(folder) => copy_of_sqlite(&folder.join("holdfast.sqlite")),
        }
    }

    /// Upserts these rows as the server has them by now, and the log entries that it has got since the last time. The time is
    /// that of writing them.
    pub fn catch_up(&mut self, server: &Server, rows: &[Made]) -> Duration {
        let (took, seq) = match (&self.target, server.location()) {
            (Target::Postgres(database), Location::Database(url)) => {
                block_on(postgres_catches_up(&url, &database.url(), rows, self.seq))
            }
            (Target::Sqlite(folder), Location::Folder(from)) => {
                sqlite_catches_up(&from.join("holdfast.sqlite"), &folder.path().join(FILE), rows, self.seq)
            }
            _ => unreachable!("BUG: a yardstick is of its server's kind"),
        };
        self.seq = seq;
        took
    }
}

const FILE: &str = "bulk.sqlite";

fn names(table: &Table) -> Vec<&'static str> {
    table.columns.iter().map(|column| column.name).collect()
}

/// `id, name = excluded.name, …`
fn updates(table: &Table) -> String {
    let others = table.columns.iter().filter(|column| !column.primary_key);
    let updates: Vec<String> = others.map(|c| format!("{0} = excluded.{0}", c.name)).collect();
    updates.join(", ")
}

/// The ids of a table's rows.
fn ids(rows: &[Made], table: &str) -> Vec<RowId> {
    rows.iter()
        .filter(|made| made.table == table)
        .map(|made| made.row)
        .collect()
}

type Texts = Vec<Vec<Option<String>>>;

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("PostgreSQL answers")
}

async fn execute(connection: &mut PgConnection, sql: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.expect("the statement is right");
}

async fn copy_of_postgres(from: &str) -> Yardstick {
    let database = Database::create();
    let (mut source, mut target) = (connect(from).await, connect(&database.url()).await);
    for statement in postgres(Schema::hospital()) {
        execute(&mut target, statement).await;
    }
    execute(&mut target, POSTGRES_LOG.to_owned()).await;
    let mut writing = target.begin().await.expect("a transaction");
    execute(&mut writing, "SET CONSTRAINTS ALL DEFERRED".to_owned()).await;
    for id in &Schema::hospital().insert_order {
        let table = Schema::hospital().by_id(*id);
        let rows = read_postgres(&mut source, table, None).await;
        insert_postgres(&mut writing, table, &rows, "").await;
    }
    writing.commit().await.expect("the rows are there");
    let head: i64 = sqlx::query_scalar("SELECT seq FROM sync.head")
        .fetch_one(&mut source)
        .await
        .expect("a head");
    Yardstick {
        target: Target::Postgres(Box::new(database)),
        seq: head,
    }
}

/// Rows as texts; of all or of some ids.
async fn read_postgres(source: &mut PgConnection, table: &Table, only: Option<&[RowId]>) -> Texts {
    let texts: Vec<String> = names(table).iter().map(|name| format!("{name}::text")).collect();
    let filter = if only.is_some() { " WHERE id = ANY($1)" } else { "" };
    let sql = format!("SELECT ARRAY[{}] FROM public.{}{filter}", texts.join(", "), table.name);
    let mut query = sqlx::query(AssertSqlSafe(sql));
    if let Some(ids) = only {
        query = query.bind(ids.iter().map(|row| row.0).collect::<Vec<Uuid>>());
    }
    let found = query.fetch_all(source).await.expect("the rows can be read");
    found.iter().map(|row| row.try_get(0).expect("texts")).collect()
}

async fn insert_postgres(target: &mut PgConnection, table: &Table, rows: &Texts, conflict: &str) {
    let names = names(table).join(", ");
    let casts: Vec<String> = table
        .columns
        .iter()
        .map(|c| format!("k.{}::{}", c.name, c.sql_type))
        .collect();
    let arrays: Vec<String> = (1..=table.columns.len()).map(|i| format!("${i}::text[]")).collect();
    let sql = format!(
        "INSERT INTO {} ({names}) SELECT {} FROM unnest({}) AS k ({names}) {conflict}",
        table.name,
        casts.join(", "),
        arrays.join(", ")
    );
    for some in rows.chunks(STATEMENT) {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for place in 0..table.columns.len() {
            query = query.bind(some.iter().map(|row| row[place].clone()).collect::<Vec<_>>());
        }
        query.execute(&mut *target).await.expect("the rows go in");
    }
}

type PostgresEntry = (i64, Uuid, Uuid, Uuid, String, String, Vec<u8>);

async fn postgres_catches_up(from: &str, to: &str, rows: &[Made], after: i64) -> (Duration, i64) {
    let (mut source, mut target) = (connect(from).await, connect(to).await);
    let mut read = Vec::new();
    for name in TABLES {
        let table = Schema::hospital().expect(name);
        read.push((table, read_postgres(&mut source, table, Some(&ids(rows, name))).await));
    }
    let found: usize = read.iter().map(|(_, rows)| rows.len()).sum();
    assert_eq!(found, rows.len(), "every row is in its table");
    let sql = "SELECT seq, id, user_id, device, time::text, accepted_at::text, entry FROM sync.log WHERE seq > $1 ORDER BY seq";
    let log: Vec<PostgresEntry> = sqlx::query_as(sql)
        .bind(after)
        .fetch_all(&mut source)
        .await
        .expect("the log");
    assert!(!log.is_empty(), "what was written is in the log");

    let begun = Instant::now();
    let mut writing = target.begin().await.expect("a transaction");
    for (table, rows) in &read {
        let conflict = format!("ON CONFLICT (id) DO UPDATE SET {}", updates(table));
        insert_postgres(&mut writing, table, rows, &conflict).await;
    }
    for some in log.chunks(STATEMENT) {
        insert_log(&mut writing, some).await;
    }
    writing.commit().await.expect("the rows are there");
    (begun.elapsed(), log.last().map_or(after, |entry| entry.0))
}

async fn insert_log(target: &mut PgConnection, log: &[PostgresEntry]) {
    let sql = "INSERT INTO log SELECT a, b, c, d, e::timestamptz, f::timestamptz, g
        FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bytea[])
        AS k (a, b, c, d, e, f, g)";
    let query = sqlx::query(sql)
        .bind(log.iter().map(|entry| entry.0).collect::<Vec<_>>())
        .bind(log.iter().map(|entry| entry.1).collect::<Vec<_>>())
        .bind(log.iter().map(|entry| entry.2).collect::<Vec<_>>())
        .bind(log.iter().map(|entry| entry.3).collect::<Vec<_>>())
        .bind(log.iter().map(|entry| entry.4.clone()).collect::<Vec<_>>())
        .bind(log.iter().map(|entry| entry.5.clone()).collect::<Vec<_>>())
        .bind(log.iter().map(|entry| entry.6.clone()).collect::<Vec<_>>());
    query.execute(target).await.expect("the log goes in");
}

type Values = Vec<Vec<Value>>;

/// A file with the tables of a side, set up as the stores set theirs up.
pub fn sqlite_file(file: &std::path::Path, side: Side) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(file).expect("a file");
    let wal = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    wal.expect("the journal is set");
    for (name, value) in [
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("cache_size", "-32000"),
    ] {
        connection.pragma_update(None, name, value).expect("a setting");
    }
    for statement in sqlite(Schema::hospital(), side) {
        connection.execute_batch(&statement).expect("a table");
    }
    connection
}

fn copy_of_sqlite(from: &std::path::Path) -> Yardstick {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = rusqlite::Connection::open(from).expect("the file opens");
    let mut target = sqlite_file(&folder.path().join(FILE), Side::Server);
    target.execute_batch(SQLITE_LOG).expect("a table");
    copy_tables(&source, &mut target, Side::Server);
    let sql = "SELECT coalesce(max(seq), 0) FROM sync_log";
    let seq = source.query_row(sql, [], |row| row.get(0)).expect("the log");
    Yardstick {
        target: Target::Sqlite(folder),
        seq,
    }
}

/// Copies all rows of all tables in one transaction. Returns how long writing them took.
pub fn copy_tables(source: &rusqlite::Connection, target: &mut rusqlite::Connection, side: Side) -> Duration {
    let mut read = Vec::new();
    for id in &Schema::hospital().insert_order {
        let table = Schema::hospital().by_id(*id);
        let columns: Vec<&str> = table.columns.iter().filter(|c| side.holds(c)).map(|c| c.name).collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), table.name);
        let rows = read_sqlite(source, &sql, [], columns.len());
        read.push((insert(table.name, &columns, ""), rows));
    }
    let begun = Instant::now();
    let transaction = target.transaction().expect("a transaction");
    for (sql, rows) in &read {
        write_sqlite(&transaction, sql, rows);
    }
    transaction.commit().expect("the rows are there");
    begun.elapsed()
}

fn insert(table: &str, columns: &[&str], conflict: &str) -> String {
    let places: Vec<String> = (1..=columns.len()).map(|i| format!("?{i}")).collect();
    format!(
        "INSERT INTO {table} ({}) VALUES ({}) {conflict}",
        columns.join(", "),
        places.join(", ")
    )
}

fn read_sqlite(source: &rusqlite::Connection, sql: &str, parameters: impl rusqlite::Params, columns: usize) -> Values {
    let mut statement = source.prepare_cached(sql).expect("the table is there");
    let rows = statement.query_map(parameters, |row| (0..columns).map(|i| row.get(i)).collect());
    let rows: Result<Values, _> = rows.and_then(Iterator::collect);
    rows.expect("the rows can be read")
}

fn write_sqlite(target: &rusqlite::Connection, sql: &str, rows: &Values) {
    let mut statement = target.prepare(sql).expect("the table is there");
    for row in rows {
        let done = statement.execute(rusqlite::params_from_iter(row));
        done.expect("the row goes in");
    }
}

fn sqlite_catches_up(from: &std::path::Path, to: &std::path::Path, rows: &[Made], after: i64) -> (Duration, i64) {
    let source = rusqlite::Connection::open(from).expect("the file opens");
    let mut read = Vec::new();
    for name in TABLES {
        let table = Schema::hospital().expect(name);
        let columns = names(table);
        let select = format!("SELECT {} FROM {name} WHERE id = ?1", columns.join(", "));
        let some = |row: RowId| read_sqlite(&source, &select, [row.0.to_string()], columns.len());
        let values: Values = ids(rows, name).into_iter().flat_map(some).collect();
        let conflict = format!("ON CONFLICT (id) DO UPDATE SET {}", updates(table));
        read.push((insert(name, &columns, &conflict), values));
    }
    let found: usize = read.iter().map(|(_, rows)| rows.len()).sum();
    assert_eq!(found, rows.len(), "every row is in its table");
    let columns = ["seq", "id", "user", "device", "time", "accepted_at", "entry"];
    let sql = "SELECT seq, id, user, device, time, accepted_at, entry FROM sync_log WHERE seq > ?1 ORDER BY seq";
    let log = read_sqlite(&source, sql, [after], columns.len());
    let last = match log.last().and_then(|entry| entry.first()) {
        Some(Value::Integer(seq)) => *seq,
        other => panic!("what was written is in the log: {other:?}"),
    };
    read.push((insert("log", &columns, ""), log));

    let mut target = rusqlite::Connection::open(to).expect("the file opens");
    for (name, value) in [
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("cache_size", "-32000"),
    ] {
        target.pragma_update(None, name, value).expect("a setting");
    }
    let begun = Instant::now();
    let transaction = target.transaction().expect("a transaction");
    for (sql, rows) in &read {
        write_sqlite(&transaction, sql, rows);
    }
    transaction.commit().expect("the rows are there");
    (begun.elapsed(), last)
}
