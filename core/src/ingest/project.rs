//! A document's row.

use super::{RowKey, in_facet};
use crate::{
    document::{Document, DocumentId, Facet},
    row::Row,
    schema::{Column, Merge, SqlType, Table},
    value::Value,
};

/// The documents that make up a row of a table.
pub(crate) fn facets(table: &Table, key: RowKey) -> impl Iterator<Item = DocumentId> + use<> {
    let restricted = table.columns.iter().any(|c| c.restricted);
    let facet = move |facet| DocumentId {
        table: key.table,
        facet,
        row: key.row,
    };
    std::iter::once(facet(Facet::Main)).chain(restricted.then(|| facet(Facet::Restricted)))
}

/// The row that the tables show for its documents. A value that another row claimed first shows as null, or, where the
/// column must have one, with a mark that makes it its own.
pub(super) fn project(table: &Table, key: RowKey, main: &Document, restricted: Option<&Document>) -> Row {
    let values = table
        .columns
        .iter()
        .map(|column| shown_value(column, key, main, restricted))
        .collect();
    Row {
        table: key.table,
        id: key.row,
        values,
    }
}

/// What a row's column shows.
pub(super) fn shown_value(column: &Column, key: RowKey, main: &Document, restricted: Option<&Document>) -> Value {
    if column.merge == Merge::Server {
        return Value::Null;
    }
    let document = if in_facet(column, Facet::Main) {
        Some(main)
    } else {
        restricted
    };
    let value = document.map_or(Value::Null, |d| d.value(column, column.first_in_stream));
    if main.lost_claims.contains(&column.id) {
        own_value(column, key, value)
    } else {
        within(column, value)
    }
}

/// A counter's total can leave what the column holds only by increments that nobody could judge together.
pub(super) fn within(column: &Column, value: Value) -> Value {
    match value {
        Value::Int(i) if column.sql_type == SqlType::Integer => {
            Value::Int(i.clamp(i64::from(i32::MIN), i64::from(i32::MAX)))
        }
        other => other,
    }
}

/// What a row shows where another row has its value.
pub(super) fn own_value(column: &Column, key: RowKey, value: Value) -> Value {
    let Value::Text(text) = value else { return Value::Null };
    if !column.not_null {
        return Value::Null;
    }
    let mark = format!("~{:08x}", key.row.0.as_u128() as u32);
    let room = match column.sql_type {
        SqlType::Varchar(Some(limit)) => (limit as usize).saturating_sub(mark.len()),
        _ => usize::MAX,
    };
    Value::Text(text.chars().take(room).chain(mark.chars()).collect())
}

/// The rows that the columns in one of a row's documents reference.
pub(super) fn references_of(table: &Table, id: DocumentId, document: &Document) -> impl Iterator<Item = RowKey> {
    let held = table.columns.iter().filter(move |column| in_facet(column, id.facet));
    held.filter_map(|column| {
        let table = column.references?;
        match document.value(column, column.first_in_stream) {
            Value::Uuid(id) => Some(RowKey {
                table,
                row: crate::ids::RowId(id),
            }),
            _ => None,
        }
    })
}

/// The rows that a row references, by column.
pub(super) fn references<'t, 'r>(
    table: &'t Table,
    row: &'r Row,
) -> impl Iterator<Item = (&'t Column, RowKey)> + use<'t, 'r> {
    table
        .columns
        .iter()
        .filter_map(|column| match (column.references, row.get(column.id)) {
            (Some(target), Value::Uuid(id)) => Some((
                column,
                RowKey {
                    table: target,
                    row: crate::ids::RowId(*id),
                },
            )),
            _ => None,
        })
}
