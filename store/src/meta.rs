//! `sync_meta`: what the store knows of itself, one value per key.

use rusqlite::{Connection, OptionalExtension, ToSql, types::FromSql};

use crate::StoreError;

/// The value of a key.
pub(crate) fn get<T: FromSql>(connection: &Connection, key: &str) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM sync_meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Sets a key's value.
pub(crate) fn set(connection: &Connection, key: &str, value: impl ToSql) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO sync_meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute((key, value))?;
    Ok(())
}

/// Forgets a key.
pub(crate) fn remove(connection: &Connection, key: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM sync_meta WHERE key = ?1")?
        .execute([key])?;
    Ok(())
}
