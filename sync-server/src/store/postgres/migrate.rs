//! Makes the engine's tables on the first run and brings them up to date on later ones.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{StoreError, checksums};
use holdfast_core::schema::{self, Schema};

/// Numbered from 1. Never edited once released: a change is a new one at the end.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/0001_engine.sql"),
    include_str!("migrations/0002_waiting.sql"),
    include_str!("migrations/0003_checksums.sql"),
    include_str!("migrations/0004_waiting_for_rows.sql"),
    include_str!("migrations/0005_hubs.sql"),
    include_str!("migrations/0006_made_again.sql"),
];

/// The format that this build writes.
pub const FORMAT: i32 = MIGRATIONS.len() as i32;

/// Two servers that start at once migrate one after the other. The number is "holdfast" in ASCII.
const LOCK: i64 = 0x686f_6c64_6661_7374;

/// Brings a database up to this build's format.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await?;
    let result = migrate_locked(connection).await;
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await?;
    result
}

async fn migrate_locked(connection: &mut PgConnection) -> Result<(), StoreError> {
    let newest = FORMAT;
    let found = format(connection).await?;
    if found > newest {
        return Err(StoreError::NewerFormat { found, newest });
    }
    if found == 0 {
        refuse_foreign_rows(connection).await?;
    }
    for number in found + 1..=newest {
        let mut transaction = connection.begin().await?;
        if number == 1 {
            run(&mut transaction, "CREATE SCHEMA IF NOT EXISTS sync").await?;
            run(
                &mut transaction,
                "CREATE TABLE sync.meta (key text PRIMARY KEY, value bytea NOT NULL)",
            )
            .await?;
            for statement in schema::postgres(Schema::hospital()) {
                run(&mut transaction, &statement).await?;
            }
        }
        run(&mut transaction, MIGRATIONS[number as usize - 1]).await?;
        sqlx::query(
            "INSERT INTO sync.meta (key, value) VALUES ('format', $1)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(number.to_string().into_bytes())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        tracing::info!(format = number, "migrated the database");
    }
    checksums::ensure(connection).await
}

/// The format that the database has; 0 if it is not a store yet.
pub(super) async fn format(connection: &mut PgConnection) -> Result<i32, StoreError> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass('sync.meta') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(0);
    }
    let value: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM sync.meta WHERE key = 'format'")
        .fetch_optional(&mut *connection)
        .await?;
    let number = value.and_then(|v| std::str::from_utf8(&v).ok()?.parse().ok());
    number.ok_or(StoreError::Corrupt("sync.meta has no format number"))
}

/// True if this build can work with the database as it is.
pub(super) async fn is_current(connection: &mut PgConnection) -> Result<bool, StoreError> {
    Ok(format(connection).await? == FORMAT)
}

/// A hospital's existing tables are imported, never taken over in place: their rows have no history yet.
async fn refuse_foreign_rows(connection: &mut PgConnection) -> Result<(), StoreError> {
    for table in &Schema::hospital().tables {
        let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("public.{}", table.name))
            .fetch_one(&mut *connection)
            .await?;
        if !there {
            continue;
        }
        let sql = format!("SELECT EXISTS (SELECT FROM public.{})", table.name);
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        if row.try_get(0)? {
            return Err(StoreError::ForeignRows(table.name));
        }
    }
    Ok(())
}

async fn run(connection: &mut PgConnection, statements: &str) -> Result<(), StoreError> {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await?;
    Ok(())
}
