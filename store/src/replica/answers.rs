//! What the last commands were answered. Who asked and heard no answer (another tab's engine ended) asks again by the same
//! name: what is done already is answered as it was then.

use std::collections::BTreeSet;

use holdfast_core::{ids::TransactionId, schema::Schema};
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;

use super::run::{CommandId, Receipt, ReceiptAction, ReceiptRow};
use crate::{StoreError, meta};

/// How many answers are kept, or up to [`TOGETHER`] more. A page waits for a few at a time.
const KEPT: i64 = 256;

/// How many old ones are let go of together: it walks over all.
const TOGETHER: i64 = 64;

/// A receipt as it is kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    transaction_id: TransactionId,
    rows: Vec<KeptRow>,
}

#[derive(Deserialize)]
struct KeptRow {
    table: String,
    id: String,
    action: ReceiptAction,
}

/// What this command was answered.
pub(super) fn find(connection: &Connection, command: CommandId) -> Result<Option<Receipt>, StoreError> {
    let json: Option<String> = connection
        .prepare_cached("SELECT receipt FROM sync_answers WHERE command = ?1")?
        .query_row([command.0.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(json) = json else { return Ok(None) };
    let kept: Kept = serde_json::from_str(&json).map_err(StoreError::corrupt)?;
    let row = |row: KeptRow| {
        let table = Schema::hospital().table(&row.table)?;
        Some(ReceiptRow {
            table: table.name,
            id: row.id,
            action: row.action,
        })
    };
    Ok(Some(Receipt {
        transaction_id: kept.transaction_id,
        rows: kept.rows.into_iter().filter_map(row).collect(),
        changed_tables: BTreeSet::new(),
    }))
}

/// Keeps the answer, in the transaction that does what it tells.
pub(super) fn keep(connection: &Connection, command: CommandId, receipt: &Receipt) -> Result<(), StoreError> {
    let n = meta::next(connection, "last_answer")?;
    let json = serde_json::to_string(receipt).map_err(StoreError::corrupt)?;
    connection
        .prepare_cached("INSERT INTO sync_answers (command, n, receipt) VALUES (?1, ?2, ?3)")?
        .execute((command.0.as_bytes(), n, json))?;
    if n % TOGETHER == 0 {
        connection
            .prepare_cached("DELETE FROM sync_answers WHERE n <= ?1")?
            .execute([n - KEPT])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use holdfast_core::schema::Side;
    use uuid::Uuid;

    use super::*;
    use crate::{replica::outbox, schema};

    #[test]
    fn the_newest_answers_are_kept_and_old_ones_go() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::prepare(&mut connection, Side::Device, None).unwrap();
        let command = |n: i64| CommandId(Uuid::from_u128(n.unsigned_abs().into()));
        let receipt = |n: i64| Receipt {
            transaction_id: TransactionId(Uuid::from_u128(n.unsigned_abs().into())),
            rows: Vec::new(),
            changed_tables: BTreeSet::new(),
        };
        for n in 1..=1_000 {
            keep(&connection, command(n), &receipt(n)).unwrap();
            // What a hub relays takes numbers of the outbox too.
            outbox::next_number(&connection).unwrap();
        }
        for n in 1_001 - KEPT..=1_000 {
            assert_eq!(find(&connection, command(n)).unwrap(), Some(receipt(n)));
        }
        assert_eq!(find(&connection, command(1_000 - KEPT - TOGETHER)).unwrap(), None);
        let sql = "SELECT count(*) FROM sync_answers";
        let count: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert!(count < KEPT + TOGETHER, "{count} are kept");
    }
}
