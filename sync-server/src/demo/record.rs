//! A row from named values: defaults and times filled in, as the engine would have done it.

use holdfast_core::{
    ids::{RowId, Timestamp},
    row::{RowAction, RowWrite},
    schema::{Column, Default, Merge, Schema, Table},
    value::Value,
};

/// Values by column name.
pub(super) type Values = Vec<(&'static str, Value)>;

/// The write that makes the row. `updated_at` is the latest time before `now` that the row speaks of.
pub(super) fn create(table: &str, id: RowId, created: Timestamp, now: Timestamp, values: Values) -> RowWrite {
    let table = Schema::hospital().expect(table);
    let latest = values.iter().filter_map(|(_, value)| past(value, now)).max();
    let updated = latest.map_or(created, |latest| latest.max(created));
    let mut out = Vec::with_capacity(values.len() + 4);
    for (name, value) in values {
        let column = table.expect(name);
        debug_assert_eq!(value.check(column), Ok(()), "BUG: {}.{name} {value:?}", table.name);
        if !value.is_null() {
            out.push((column.id, value));
        }
    }
    for column in &table.columns {
        if out.iter().all(|(given, _)| *given != column.id) {
            let value = filled_in(table, column, id, created, updated);
            out.extend((!value.is_null()).then_some((column.id, value)));
        }
    }
    out.sort_unstable_by_key(|(column, _)| *column);
    RowWrite {
        table: table.id,
        row: id,
        action: RowAction::Create(out),
    }
}

fn filled_in(table: &Table, column: &Column, id: RowId, created: Timestamp, updated: Timestamp) -> Value {
    match column.default {
        _ if column.merge == Merge::Server => Value::Null,
        _ if column.merge == Merge::Derived => updated.into(),
        _ if column.primary_key && !table.has_composite_key() => id.into(),
        Some(Default::Now) => created.into(),
        Some(Default::Literal(literal)) => {
            Value::from_sql_text(column, literal).expect("BUG: a default of the schema does not fit its column")
        }
        Some(Default::Uuid) | None => Value::Null,
    }
}

fn past(value: &Value, now: Timestamp) -> Option<Timestamp> {
    match value {
        Value::Timestamp(time) if *time <= now => Some(*time),
        _ => None,
    }
}

/// A date column's value.
pub(super) fn date(time: Timestamp) -> Value {
    let date = time.to_datetime().map(|t| t.format("%Y-%m-%d").to_string());
    date.into()
}

/// A money column's value, from hundredths.
pub(super) fn money(hundredths: i64) -> Value {
    format!("{}.{:02}", hundredths / 100, hundredths % 100).into()
}

/// A JSON column's value.
pub(super) fn json(value: &serde_json::Value) -> Value {
    value.to_string().into()
}
