//! Documents with a history that is the same in every run, for changes to meet.

use std::sync::OnceLock;

use holdfast_core::{
    document::{Actor, Document, DocumentId, Place, fold::Arrival, write::Writer},
    ids::{RowId, Timestamp},
    row::{ColumnEdit, ColumnEditKind, RowAction},
    schema::{Column, Merge, Schema, SqlType, Table},
    value::Value,
};
use serde_json::json;
use uuid::Uuid;

/// Tables that have between them every kind of column.
const TABLES: [&str; 3] = ["patients", "supplies", "discharge_reports"];

/// The makers of the history: the bytes that each one's name consists of.
pub const ACTORS: [u8; 2] = [1, 2];

/// A table, chosen by a byte of the input.
pub fn table(selector: u8) -> &'static Table {
    Schema::hospital().expect(TABLES[usize::from(selector) % TABLES.len()])
}

/// The document that [`document`] is.
pub fn document_id(table: &Table) -> DocumentId {
    DocumentId::main(table.id, RowId(Uuid::from_u128(42)))
}

/// Where the history's changes came from.
pub fn arrival() -> Arrival {
    Arrival {
        place: Place::Pending,
        time: Timestamp(7),
    }
}

/// A row of a table that two devices have written to: plain values, counters, and objects where a column may hold one.
pub fn document(selector: u8) -> Document {
    history(selector).0.clone()
}

/// The changes that [`document`] adds up from, each as a chunk.
pub fn changes(selector: u8) -> &'static [Vec<u8>] {
    &history(selector).1
}

type History = (Document, Vec<Vec<u8>>);

fn history(selector: u8) -> &'static History {
    static HISTORIES: [OnceLock<History>; TABLES.len()] = [const { OnceLock::new() }; TABLES.len()];
    HISTORIES[usize::from(selector) % TABLES.len()].get_or_init(|| make(table(selector)))
}

fn make(table: &Table) -> History {
    let (mut document, mut changes) = (Document::default(), Vec::new());
    let mut write = |actor: u8, action: &RowAction| {
        let writer = Writer {
            actor: &Actor::from(vec![actor; 20]),
            time: Timestamp(7),
            salt: None,
        };
        let built = document
            .write(document_id(table), table, action, writer)
            .expect("BUG: the history can be written");
        changes.extend(built.into_iter().map(|change| change.bytes));
    };
    let values = table.columns.iter().filter(|c| c.merge != Merge::Derived);
    let values = values.map(|column| (column.id, value(column, "start", 5))).collect();
    write(ACTORS[0], &RowAction::Create(values));
    let edits = table
        .columns
        .iter()
        .filter(|c| matches!(c.merge, Merge::Text | Merge::Json | Merge::Counter));
    write(
        ACTORS[1],
        &RowAction::Edit(edits.map(|column| edit(column, "started", 2)).collect()),
    );
    (document, changes)
}

/// An edit of a column.
pub fn edit(column: &Column, text: &str, number: i64) -> ColumnEdit {
    let kind = if column.merge == Merge::Counter {
        ColumnEditKind::Add(number)
    } else {
        ColumnEditKind::Set {
            value: value(column, text, number),
            seen: None,
        }
    };
    ColumnEdit {
        column: column.id,
        kind,
    }
}

fn value(column: &Column, text: &str, number: i64) -> Value {
    let json = match column.merge {
        Merge::Json => json!({ "a": text, "list": [text, number], "n": { "x": number } }),
        _ if column.sql_type == SqlType::Integer => number.into(),
        _ => text.into(),
    };
    Value::from_json(column, &json).unwrap_or(Value::Null)
}
