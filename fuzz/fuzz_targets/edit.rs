//! Texts and JSON: expansion into an object, and edits of which only the difference is written. The input is what a column
//! holds first, what one person makes of it, and what another makes of the same; parted by NUL. The first byte chooses
//! text or JSON.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::{
    document::{Actor, DecodedChange, Document, object::MAX_DEPTH, write::Writer},
    ids::Timestamp,
    row::{ColumnEdit, ColumnEditKind, RowAction},
    schema::{Column, Merge, Table},
    value::Value,
};
use holdfast_fuzz::{arrival, check_document, document_id, table};
use serde_json::Value as Json;

fn run(data: &[u8]) {
    let Some((selector, texts)) = data.split_first() else {
        return;
    };
    let Ok(texts) = std::str::from_utf8(texts) else { return };
    let (table, merge) = if selector.is_multiple_of(2) {
        (table(0), Merge::Text)
    } else {
        (table(2), Merge::Json)
    };
    let column = table.columns.iter().find(|column| column.merge == merge);
    let column = column.expect("BUG: the table has no such column");
    let values: Option<Vec<Value>> = texts.split('\0').map(|text| value(column, text)).collect();
    if let Some([first, second, third]) = values.as_deref() {
        write_all(table, column, first, second, third);
    }
}

/// What a page would give; `None` for what the engine does not let in.
fn value(column: &Column, text: &str) -> Option<Value> {
    let json = match column.merge {
        Merge::Json => serde_json::from_str(text).ok()?,
        _ => Json::String(text.to_owned()),
    };
    (depth(&json) < MAX_DEPTH).then(|| Value::from_json(column, &json).ok())?
}

fn depth(json: &Json) -> usize {
    let nested = match json {
        Json::Array(items) => items.iter().map(depth).max(),
        Json::Object(entries) => entries.values().map(depth).max(),
        _ => return 0,
    };
    1 + nested.unwrap_or(0)
}

fn write_all(table: &Table, column: &Column, first: &Value, second: &Value, third: &Value) {
    let mut document = Document::default();
    let mut changes = write(
        &mut document,
        table,
        1,
        &RowAction::Create(vec![(column.id, first.clone())]),
    );
    assert_eq!(meaning(&document.value(column, false)), meaning(first));
    changes.extend(write(&mut document, table, 1, &edit(column, second, first)));
    assert_eq!(
        meaning(&document.value(column, false)),
        meaning(second),
        "who saw all leaves what they wrote"
    );
    changes.extend(write(&mut document, table, 2, &edit(column, third, first)));
    check_document(&document, table);
    let mut folded = Document::default();
    for change in &changes {
        let decoded = DecodedChange::from_bytes(change).expect("what is written can be read");
        folded
            .fold(table, &decoded, arrival())
            .expect("what is written can be folded");
    }
    assert_eq!(folded, document, "writing and folding give the same");
}

fn write(document: &mut Document, table: &Table, actor: u8, action: &RowAction) -> Vec<Vec<u8>> {
    let writer = Writer {
        actor: &Actor::from(vec![actor; 20]),
        time: Timestamp(7),
        salt: None,
    };
    let built = document.write(document_id(table), table, action, writer);
    built
        .expect("a person's edit can be written")
        .into_iter()
        .map(|change| change.bytes)
        .collect()
}

fn edit(column: &Column, value: &Value, seen: &Value) -> RowAction {
    let kind = ColumnEditKind::Set {
        value: value.clone(),
        seen: Some(seen.clone()),
    };
    RowAction::Edit(vec![ColumnEdit {
        column: column.id,
        kind,
    }])
}

/// Keys have no order, and an emptied text is as good as none.
fn meaning(value: &Value) -> Json {
    match value {
        Value::Text(text) if text.is_empty() => Json::Null,
        Value::Text(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        other => other.to_json(),
    }
}

holdfast_fuzz::target!(run);
