//! The class that the benchmark's worker holds one of.

use holdfast_core::schema::{Schema, Side, sqlite};
use rusqlite::{Connection, OpenFlags, types::Value};
use serde_json::{Map, Value as Json};
use sqlite_wasm_rs::WasmOsCallback;
use sqlite_wasm_vfs::sahpool::{OpfsSAHPoolCfgBuilder, install};
use wasm_bindgen::{JsError, prelude::wasm_bindgen};

/// The SQLite file system, and its folder on OPFS.
const POOL: &str = "bare";
/// The same, encrypted page by page.
const CIPHERED: &str = "multipleciphers-bare";
/// The database, the files beside it, and one to spare.
const FILES: u32 = 4;
const KEY: &str = "raw:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

type Result<T> = std::result::Result<T, JsError>;

/// A database with the hospital's 33 tables.
#[wasm_bindgen]
pub struct Bare {
    connection: Connection,
    /// Rows to be inserted: a statement, and its parameters row by row.
    staged: Vec<(String, Vec<Vec<Value>>)>,
}

#[wasm_bindgen]
impl Bare {
    /// Opens the database, or makes it.
    pub async fn open() -> Result<Bare> {
        let pool = OpfsSAHPoolCfgBuilder::new()
            .vfs_name(POOL)
            .directory(POOL)
            .initial_capacity(FILES)
            .build();
        let installed = install::<WasmOsCallback>(&pool, false).await;
        installed.map_err(|error| JsError::new(&format!("{error:?}")))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs("bare.sqlite", flags, CIPHERED)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "key", KEY)?;
        connection.pragma_update(None, "page_size", 4096)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", -32_000)?;
        for statement in sqlite(Schema::hospital(), Side::Device) {
            connection.execute_batch(&statement)?;
        }
        let staged = Vec::new();
        Ok(Self { connection, staged })
    }

    /// The tables' names, in an order in which references lead back.
    pub fn tables(&self) -> Vec<String> {
        let schema = Schema::hospital();
        schema
            .insert_order
            .iter()
            .map(|id| schema.by_id(*id).name.to_owned())
            .collect()
    }

    /// Prepares rows, a JSON array of objects, for [`Bare::insert`].
    pub fn stage(&mut self, table: &str, rows: &str) -> Result<()> {
        let rows: Vec<Map<String, Json>> = serde_json::from_str(rows)?;
        let Some(first) = rows.first() else { return Ok(()) };
        let columns: Vec<&str> = first.keys().map(String::as_str).collect();
        let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            places.join(", ")
        );
        let values = rows.iter().map(|row| row.values().map(value).collect()).collect();
        self.staged.push((sql, values));
        Ok(())
    }

    /// Inserts what was staged, in one transaction.
    pub fn insert(&mut self) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for (sql, rows) in self.staged.drain(..) {
            let mut statement = transaction.prepare(&sql)?;
            for row in rows {
                statement.execute(rusqlite::params_from_iter(row))?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Gives a patient another telephone number, in a transaction of its own.
    pub fn edit(&mut self, patient: &str, phone: &str) -> Result<()> {
        let transaction = self.connection.transaction()?;
        let changed = transaction
            .prepare_cached("UPDATE patients SET phone = ?2 WHERE id = ?1")?
            .execute((patient, phone))?;
        if changed != 1 {
            return Err(JsError::new(&format!("there is no patient {patient}")));
        }
        Ok(transaction.commit()?)
    }

    /// Reads all rows of a query. Returns how many there are.
    pub fn count(&self, sql: &str) -> Result<u32> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                row.get::<_, Value>(column)?;
            }
            count += 1;
        }
        Ok(count)
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Integer((*truth).into()),
        Json::Number(number) => number.as_i64().map_or(Value::Null, Value::Integer),
        Json::String(text) => Value::Text(text.clone()),
        other => Value::Text(other.to_string()),
    }
}
