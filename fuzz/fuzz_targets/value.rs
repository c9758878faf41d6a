//! A value of any column, as text (CSV files, PostgreSQL) and as JSON (pages). What is read is in canonical form. The first byte
//! chooses the table.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::{
    schema::{Column, Schema},
    value::Value,
};

fn run(data: &[u8]) {
    let Some((selector, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    let tables = &Schema::hospital().tables;
    for column in &tables[usize::from(*selector) % tables.len()].columns {
        if let Ok(value) = Value::from_sql_text(column, text) {
            is_canonical(column, &value);
        }
        if let Ok(value) = Value::from_json(column, &json) {
            is_canonical(column, &value);
            if value.check(column).is_ok() {
                let _ = value.check_vocabulary(column);
                let again = Value::from_json(column, &value.to_json());
                assert_eq!(again.as_ref(), Ok(&value), "{} as JSON", column.name);
            }
        }
    }
}

fn is_canonical(column: &Column, value: &Value) {
    // What a column takes is also what it reads back.
    if value.check(column).is_ok()
        && let Some(text) = value.to_sql_text()
    {
        assert_eq!(
            Value::from_sql_text(column, &text).as_ref(),
            Ok(value),
            "{}",
            column.name
        );
    }
}

holdfast_fuzz::target!(run);
