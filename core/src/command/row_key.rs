//! How a command names a table and a row: `meetingId/staffId` where the key has several parts.

use uuid::Uuid;

use crate::{
    command::CommandError,
    ids::RowId,
    schema::{Schema, Table},
};

/// The table of this name.
pub(super) fn table(name: &str) -> Result<&'static Table, CommandError> {
    Schema::hospital()
        .table(name)
        .ok_or_else(|| CommandError::invalid("table", format!("There is no table {name}. Check its name.")))
}

/// The parts of the key that the text names.
pub(super) fn parts(table: &Table, text: &str) -> Result<Vec<Uuid>, CommandError> {
    let parts: Option<Vec<Uuid>> = text.split('/').map(|part| Uuid::parse_str(part).ok()).collect();
    parts
        .filter(|parts| parts.len() == table.primary_key.len())
        .ok_or_else(|| {
            let form = table.key_names().join("/");
            CommandError::invalid(
                "id",
                format!("{text} is not the id of a row of {}: give {form} as UUIDs.", table.name),
            )
        })
}

/// The row that the text names.
pub(super) fn row_id(table: &Table, text: &str) -> Result<RowId, CommandError> {
    Ok(table.row_id(&parts(table, text)?))
}
