//! The store's tables: the hospital's 33 (declared in core) and the engine's own, which are named `sync_…`.
//!
//! A store remembers its format. A newer program brings an older store up to date, one migration after another, each in one
//! transaction; an older program refuses a newer store.

mod engine;

use std::time::Duration;

use holdfast_core::schema::{Schema, Side, sqlite};
use rusqlite::{Connection, OptionalExtension};

use crate::{StoreError, hex, meta};

/// The statements of one migration.
type Migration = fn(Side) -> Vec<String>;

/// From format n to n + 1. Only ever appended to: a released migration never changes.
const MIGRATIONS: [Migration; 11] = [
    first,
    answers,
    waiting,
    restored,
    waiting_for_rows,
    hubs,
    relayed,
    patients_by_name,
    made_again,
    fewer_pages,
    pending_in_base,
];

/// The format that this build writes.
pub const FORMAT: u32 = MIGRATIONS.len() as u32;

fn first(side: Side) -> Vec<String> {
    let mut statements = engine::tables(side);
    statements.extend(sqlite(Schema::hospital(), side));
    statements
}

/// A device remembers what it answered, and which refused work was mended.
fn answers(side: Side) -> Vec<String> {
    match side {
        Side::Server => Vec::new(),
        Side::Device => engine::ANSWERS.iter().map(ToString::to_string).collect(),
    }
}

/// A transaction may wait for what it builds on.
fn waiting(side: Side) -> Vec<String> {
    let statements = match side {
        Side::Server => engine::WAITING_SERVER,
        Side::Device => engine::WAITING_DEVICE,
    };
    statements.iter().map(ToString::to_string).collect()
}

/// A server may be put back to a backup.
fn restored(side: Side) -> Vec<String> {
    match side {
        Side::Server => Vec::new(),
        Side::Device => engine::RESTORED.iter().map(ToString::to_string).collect(),
    }
}

/// A transaction may wait for rows, too.
fn waiting_for_rows(side: Side) -> Vec<String> {
    match side {
        Side::Server => engine::WAITING_FOR_ROWS.iter().map(ToString::to_string).collect(),
        Side::Device => Vec::new(),
    }
}

/// A hospital's server may have hubs.
fn hubs(side: Side) -> Vec<String> {
    match side {
        Side::Server => engine::HUBS.iter().map(ToString::to_string).collect(),
        Side::Device => Vec::new(),
    }
}

/// A hub relays, and a device knows what its ward's hub relays.
fn relayed(side: Side) -> Vec<String> {
    let statements = match side {
        Side::Server => engine::RELAYING.to_vec(),
        Side::Device => [engine::RELAYED, engine::OUTBOX_IN_PLACE, engine::RELAYED_KEPT].concat(),
    };
    statements.iter().map(ToString::to_string).collect()
}

/// A device searches its patients.
fn patients_by_name(side: Side) -> Vec<String> {
    match side {
        Side::Server => Vec::new(),
        Side::Device => engine::PATIENTS_BY_NAME.iter().map(ToString::to_string).collect(),
    }
}

/// A command may be made into a transaction again, and is in the stream once.
fn made_again(side: Side) -> Vec<String> {
    match side {
        Side::Server => engine::MADE_AGAIN.iter().map(ToString::to_string).collect(),
        Side::Device => Vec::new(),
    }
}

/// A device's command changes fewer pages.
fn fewer_pages(side: Side) -> Vec<String> {
    let statements = match side {
        Side::Server => Vec::new(),
        Side::Device => [engine::FEWER_PAGES, engine::OUTBOX_IN_PLACE].concat(),
    };
    statements.iter().map(ToString::to_string).collect()
}

/// The base says what is pending on each of its documents.
fn pending_in_base(side: Side) -> Vec<String> {
    let statements = match side {
        Side::Server => engine::PENDING_IN_BASE.to_vec(),
        Side::Device => [engine::PENDING_IN_BASE, engine::RECEIPTS].concat(),
    };
    statements.iter().map(ToString::to_string).collect()
}

/// Sets the connection up and brings its tables up to date. `key` is 32 bytes, for SQLite with a cipher; see [`encrypt`].
pub fn prepare(connection: &mut Connection, side: Side, key: Option<&[u8]>) -> Result<(), StoreError> {
    if let Some(key) = key {
        require_cipher(connection)?;
        connection.pragma_update(None, "key", raw_key(key))?;
    }
    settings(connection)?;
    let found = check_format(connection, side)?;
    for (number, migration) in (1u32..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        for statement in migration(side) {
            transaction.execute_batch(&statement)?;
        }
        meta::set(&transaction, "format", number)?;
        meta::set(&transaction, "side", side_name(side))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Encrypts a store that was plain, in place: an interrupted encryption is taken back by SQLite's journal when the store is
/// opened next. With `SQLite3` Multiple Ciphers (<https://utelle.github.io/SQLite3MultipleCiphers>), which browsers have.
pub fn encrypt(connection: &Connection, key: &[u8]) -> Result<(), StoreError> {
    require_cipher(connection)?;
    // Pages are rewritten through a rollback journal only.
    connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    connection.pragma_update(None, "rekey", raw_key(key))?;
    Journal::WriteAhead.set(connection)
}

/// SQLite without a cipher takes a key in silence and writes plain text.
fn require_cipher(connection: &Connection) -> Result<(), StoreError> {
    let cipher: Option<String> = connection.query_row("PRAGMA cipher", [], |row| row.get(0)).optional()?;
    cipher.map(drop).ok_or(StoreError::EncryptionUnsupported)
}

/// The key as it is, so that SQLite derives nothing from it.
fn raw_key(key: &[u8]) -> String {
    format!("raw:{}", hex::encode(key))
}

/// How SQLite keeps a commit whole. Either way it is durable when it returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Journal {
    /// Changed pages go to the end of a log first, and later to their places.
    WriteAhead,
    /// Changed pages go to their places, what was there before into a journal. Pages that are new, as all are while a hospital is
    /// copied, are written once: in a browser each is encrypted whenever it is.
    Rollback,
}

impl Journal {
    /// Sets it, if it is not set.
    pub fn set(self, connection: &Connection) -> Result<(), StoreError> {
        let name = match self {
            Self::WriteAhead => "wal",
            Self::Rollback => "truncate",
        };
        let now: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        if now == name {
            return Ok(());
        }
        Ok(connection.pragma_update_and_check(None, "journal_mode", name, |_| Ok(()))?)
    }
}

/// Bytes of a page. In browsers SQLite would take twice as many, and a command changes a dozen pages by a few bytes each: all of
/// each is encrypted and written.
const PAGE: u32 = 4096;

/// Every commit is durable when it returns. With a write-ahead log a server reads while it writes, and a browser, whose one
/// connection locks its file for itself (`locking_mode`), writes each commit once.
fn settings(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_secs(10))?;
    if connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))? == 0 {
        connection.pragma_update(None, "page_size", PAGE)?;
    }
    connection.set_prepared_statement_cache_capacity(512);
    Journal::WriteAhead.set(connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -32_000)?;
    Ok(())
}

/// The store's format; 0 for a new one.
fn check_format(connection: &Connection, side: Side) -> Result<u32, StoreError> {
    if !connection.table_exists(None, "sync_meta")? {
        return Ok(0);
    }
    let found: u32 = meta::get(connection, "format")?.unwrap_or(0);
    if found > FORMAT {
        return Err(StoreError::NewerFormat { found, known: FORMAT });
    }
    let expected = side_name(side);
    match meta::get::<String>(connection, "side")? {
        Some(found) if found != expected => Err(StoreError::WrongSide { found, expected }),
        _ => Ok(found),
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Server => "server",
        Side::Device => "device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(side: Side) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection, side, None).unwrap();
        connection
    }

    fn count(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn both_sides_have_every_table_and_foreign_key_that_hospitals_count() {
        for side in [Side::Server, Side::Device] {
            let connection = store(side);
            let tables =
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sync\\_%' ESCAPE '\\'
                AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
            assert_eq!(count(&connection, tables), 33);
            let keys = "SELECT count(*) FROM sqlite_schema AS t, pragma_foreign_key_list(t.name)
                WHERE t.type = 'table' AND t.name NOT LIKE 'sync\\_%' ESCAPE '\\'";
            assert_eq!(count(&connection, keys), 69);
            assert_eq!(count(&connection, "PRAGMA foreign_keys"), 1);
        }
    }

    #[test]
    fn a_store_opens_again_as_it_was() {
        let mut connection = store(Side::Device);
        meta::set(&connection, "cursor", 7).unwrap();
        prepare(&mut connection, Side::Device, None).unwrap();
        assert_eq!(meta::get(&connection, "cursor").unwrap(), Some(7));
    }

    #[test]
    fn an_outbox_of_before_hubs_goes_on_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        for migration in MIGRATIONS.iter().take(6) {
            for statement in migration(Side::Device) {
                connection.execute_batch(&statement).unwrap();
            }
        }
        meta::set(&connection, "format", 6).unwrap();
        let add = |n: i64| {
            let sql = "INSERT INTO sync_outbox (n, id, entry, command, name, summary, user, role, new_ids, made_at,
                offline, state) VALUES (?1, ?2, x'', '', '', '', '', '', x'', 0, 0, 'waiting')";
            connection.execute(sql, (n, n.to_be_bytes())).unwrap();
        };
        add(1);
        add(7);
        connection
            .execute_batch(
                "INSERT INTO sync_base VALUES (1, x'00', x''), (1, x'01', x'');
                INSERT INTO sync_touched VALUES (1, x'00', 7), (1, x'01', 1), (1, x'01', 7)",
            )
            .unwrap();
        prepare(&mut connection, Side::Device, None).unwrap();
        assert_eq!(
            count(&connection, "SELECT sum(n) FROM sync_outbox WHERE state = 'waiting'"),
            8
        );
        let mut pending = connection
            .prepare("SELECT pending FROM sync_base ORDER BY row")
            .unwrap();
        let pending = pending.query_map([], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(pending.map(Result::unwrap).collect::<Vec<_>>(), [",7,", ",1,7,"]);
    }

    #[test]
    fn a_device_searches_patients_in_the_index_of_names() {
        let connection = store(Side::Device);
        let sql = "EXPLAIN QUERY PLAN SELECT * FROM patients
            WHERE last_name LIKE ?1 OR first_name LIKE ?1 OR patient_number LIKE ?1
            ORDER BY last_name, first_name, id LIMIT 60";
        let mut statement = connection.prepare(sql).unwrap();
        let steps = statement.query_map(["%berg%"], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert_eq!(steps, ["SCAN patients USING INDEX sync_patients_by_name"]);
    }

    #[test]
    fn a_store_of_a_newer_format_is_refused() {
        let mut connection = store(Side::Server);
        meta::set(&connection, "format", FORMAT + 1).unwrap();
        let refused = prepare(&mut connection, Side::Server, None).unwrap_err();
        assert!(refused.to_string().contains("install the newer version"), "{refused}");
    }

    #[test]
    fn a_device_store_is_not_opened_as_a_servers_nor_with_a_key() {
        let mut connection = store(Side::Device);
        assert!(matches!(
            prepare(&mut connection, Side::Server, None),
            Err(StoreError::WrongSide { .. })
        ));
        let with_key = prepare(&mut connection, Side::Device, Some(&[7; 32]));
        assert!(matches!(with_key, Err(StoreError::EncryptionUnsupported)));
    }
}
