//! Row writes, as short as a test wants them.

use holdfast_core::{
    ids::RowId,
    row::{ColumnEdit, ColumnEditKind, RowAction, RowWrite},
    schema::{Schema, Table},
    value::Value,
};
use serde_json::{Map, Value as Json};

/// A new row with these values and its key; nothing else is filled in.
pub fn create(table: &str, row: RowId, values: &Json) -> RowWrite {
    let table = Schema::hospital().expect(table);
    let mut all = read(table, values);
    if !table.has_composite_key() {
        all.insert(0, (table.primary_key[0], row.into()));
    }
    RowWrite {
        table: table.id,
        row,
        action: RowAction::Create(all),
    }
}

/// Other values for some columns, whatever stood there.
pub fn edit(table: &str, row: RowId, values: &Json) -> RowWrite {
    edit_seen(table, row, values, &Json::Object(Map::new()))
}

/// Other values for some columns, by a person who saw these before.
pub fn edit_seen(table: &str, row: RowId, values: &Json, seen: &Json) -> RowWrite {
    let table = Schema::hospital().expect(table);
    let seen = read(table, seen);
    let edits = read(table, values).into_iter().map(|(column, value)| ColumnEdit {
        column,
        kind: ColumnEditKind::Set {
            value,
            seen: seen.iter().find(|(c, _)| *c == column).map(|(_, v)| v.clone()),
        },
    });
    RowWrite {
        table: table.id,
        row,
        action: RowAction::Edit(edits.collect()),
    }
}

/// Adds to a counter.
pub fn add(table: &str, row: RowId, column: &str, amount: i64) -> RowWrite {
    let table = Schema::hospital().expect(table);
    let edit = ColumnEdit {
        column: table.expect(column).id,
        kind: ColumnEditKind::Add(amount),
    };
    RowWrite {
        table: table.id,
        row,
        action: RowAction::Edit(vec![edit]),
    }
}

/// Hides a row.
pub fn delete(table: &str, row: RowId) -> RowWrite {
    RowWrite {
        table: Schema::hospital().expect(table).id,
        row,
        action: RowAction::Delete,
    }
}

fn read(table: &Table, values: &Json) -> Vec<(holdfast_core::schema::ColumnId, Value)> {
    let values = values.as_object().expect("values are a JSON object");
    values
        .iter()
        .map(|(name, json)| {
            let column = table.expect(name);
            let value = Value::from_json(column, json);
            (
                column.id,
                value.unwrap_or_else(|error| panic!("{}.{name}: {error}", table.name)),
            )
        })
        .collect()
}
