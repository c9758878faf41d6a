//! Checks of single values, with messages for people.

use serde_json::Value as Json;

use crate::{
    command::{CommandError, words},
    ids::Timestamp,
    schema::{Column, Merge, Schema, Table},
    value::{Value, ValueError},
};

/// The column of this name, which came from outside.
pub(super) fn column(table: &'static Table, name: &str) -> Result<&'static Column, CommandError> {
    table.column(name).ok_or_else(|| {
        CommandError::invalid(
            name,
            format!("There is no column {name} in {}. Leave it out.", table.name),
        )
    })
}

/// Reads a value from a command's JSON.
pub(super) fn read(column: &Column, json: &Json) -> Result<Value, CommandError> {
    Value::from_json(column, json).map_err(|error| wrong(column, &error))
}

/// Reads a command's text for a column that the code names: a time, a date, a number.
pub(super) fn parse(table: &str, column: &str, text: Option<&str>) -> Result<Value, CommandError> {
    let column = Schema::hospital().expect(table).expect(column);
    match text {
        Some(text) => Value::from_sql_text(column, text).map_err(|error| wrong(column, &error)),
        None => Ok(Value::Null),
    }
}

/// Reads a time that a command must give.
pub(super) fn time(table: &str, column: &str, text: &str) -> Result<Timestamp, CommandError> {
    match parse(table, column, Some(text))? {
        Value::Timestamp(time) => Ok(time),
        _ => panic!("BUG: {table}.{column} is no time"),
    }
}

/// Refuses a number below one.
pub(super) fn positive(field: &str, number: i64) -> Result<(), CommandError> {
    if number > 0 {
        return Ok(());
    }
    Err(CommandError::invalid(
        field,
        format!("{} must be at least 1.", words::label(field)),
    ))
}

/// Checks a new value of a column: type, length, range, required, vocabulary.
pub(super) fn new_value(column: &Column, value: &Value) -> Result<(), CommandError> {
    value
        .check(column)
        .and_then(|()| value.check_vocabulary(column))
        .map_err(|error| wrong(column, &error))
}

/// Refuses columns that no command writes.
pub(super) fn writable(column: &Column) -> Result<(), CommandError> {
    let reason = match column.merge {
        Merge::Derived => "is kept up by the engine itself. Leave it out.",
        Merge::Server => "never leaves the server and is changed there only.",
        _ => return Ok(()),
    };
    Err(CommandError::not_allowed(
        column.name,
        format!("{} {reason}", words::label(column.name)),
    ))
}

/// Refuses, in an edit, columns that are set once.
pub(super) fn editable(column: &Column) -> Result<(), CommandError> {
    writable(column)?;
    let reason = match column.merge {
        Merge::Identity => "names the row and never changes. Make a new row instead.",
        Merge::Once => "is set when the row is made and never changes. Leave it as it is.",
        _ => return Ok(()),
    };
    Err(CommandError::not_allowed(
        column.name,
        format!("{} {reason}", words::label(column.name)),
    ))
}

/// True if both are the same value; JSON is compared by meaning, not by spelling.
pub(super) fn same(column: &Column, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) if column.json && a != b => {
            matches!((serde_json::from_str::<Json>(a), serde_json::from_str::<Json>(b)), (Ok(a), Ok(b)) if a == b)
        }
        _ => a == b,
    }
}

fn wrong(column: &Column, error: &ValueError) -> CommandError {
    CommandError::invalid(
        column.name,
        format!("{} {error}. Please correct it.", words::label(column.name)),
    )
}
