//! What the last commands were answered. Who asked and heard no answer (another tab's engine ended) asks again by the same
//! name: what is done already is answered as it was then.

use std::collections::BTreeSet;

use holdfast_core::{ids::TransactionId, schema::Schema};
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;

use super::run::{CommandId, Receipt, ReceiptAction, ReceiptRow};
use crate::StoreError;

/// How many answers are kept. A page waits for a few at a time.
const KEPT: i64 = 256;

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
    let json = serde_json::to_string(receipt).map_err(StoreError::corrupt)?;
    connection
        .prepare_cached("INSERT INTO sync_answers (command, receipt) VALUES (?1, ?2)")?
        .execute((command.0.as_bytes(), json))?;
    connection
        .prepare_cached("DELETE FROM sync_answers WHERE n <= ?1")?
        .execute([connection.last_insert_rowid() - KEPT])?;
    Ok(())
}
