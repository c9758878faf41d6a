//! A person settles a conflict.

use serde_json::Value as Json;

use crate::{
    command::{
        CommandError, OpenConflict, check, declare, delete_row,
        draft::Draft,
        queue,
        record::Record,
        stock::{self, Movement},
        words,
    },
    ids::RowId,
    schema::{Column, Merge, Schema},
    value::Value,
};

declare::command! {
    /// Settles a conflict: the chosen value stands, the other is kept in the history. Where the whole row is in question
    /// (edited here, deleted there), true keeps it and false deletes it.
    pub struct SettleConflict {
        pub conflict_id: String,
        pub value: Json,
    }
}

impl SettleConflict {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let conflict = draft.reader().conflict(&self.conflict_id)?.ok_or_else(|| {
            let message = "This conflict is settled already, or it is not here yet. Look at the list again.";
            CommandError::not_found("conflictId", message)
        })?;
        let table = Schema::hospital().get(conflict.table).expect("BUG: a conflict in a table that does not exist");
        let record = draft.row(table, conflict.row, "conflictId")?;
        draft.settles = Some(conflict.id.clone());
        let Some(column) = conflict.column else { return self.keep_or_delete(draft, &record) };
        let column = table.by_id(column);
        let value = check::read(column, &self.value).map_err(|error| error.renamed(|_| Some("value".into())))?;
        if (table.name, column.name) == ("beds", "patient_id") {
            settle_bed(draft, &record, &value, &conflict)?;
        } else if (table.name, column.name) == ("supplies", "current_stock") {
            settle_stock(draft, &record, &value)?;
        } else {
            settle_column(draft, &record, column, value)?;
        }
        Ok(format!("Settle {} of {}", words::label(column.name).to_lowercase(), words::noun(table.name)))
    }

    fn keep_or_delete(&self, draft: &mut Draft, record: &Record) -> Result<String, CommandError> {
        let noun = words::noun(record.table.name);
        match self.value {
            Json::Bool(true) => Ok(format!("Keep {noun}")),
            Json::Bool(false) => {
                delete_row::refuse_if_referenced(draft, record)?;
                draft.delete(record);
                Ok(format!("Delete {noun}"))
            }
            _ => Err(CommandError::invalid("value", format!("Choose true to keep the {noun}, false to delete it."))),
        }
    }
}

/// The value is written even if it is shown already: only a write that has seen all sides settles them.
fn settle_column(draft: &mut Draft, record: &Record, column: &Column, value: Value) -> Result<(), CommandError> {
    let current = record.get(column.name).clone();
    if column.merge == Merge::Counter && value == current {
        return Ok(());
    }
    draft.set(record, column, value, current).map_err(|error| error.renamed(|_| Some("value".into())))
}

/// One patient keeps the bed; the others go back to the queue.
fn settle_bed(draft: &mut Draft, bed: &Record, value: &Value, conflict: &OpenConflict) -> Result<(), CommandError> {
    settle_column(draft, bed, bed.table.expect("patient_id"), value.clone())?;
    let status = if value.is_null() { "available" } else { "occupied" };
    draft.edit(bed, vec![("status", status.into())])?;
    let shown = bed.get("patient_id");
    let mut losers: Vec<RowId> = Vec::new();
    for side in conflict.sides.iter().chain([shown]).filter(|side| *side != value) {
        match side {
            Value::Uuid(patient) if !losers.contains(&RowId(*patient)) => losers.push(RowId(*patient)),
            _ => {}
        }
    }
    for patient in losers {
        queue::return_from(draft, patient, bed)?;
    }
    if let Value::Uuid(patient) = value {
        queue::confirm(draft, RowId(*patient), bed)?;
    }
    Ok(())
}

/// Somebody has counted: the difference is written down as an adjustment.
fn settle_stock(draft: &mut Draft, supply: &Record, value: &Value) -> Result<(), CommandError> {
    let Value::Int(counted) = *value else {
        return Err(CommandError::invalid("value", "Give the number that was counted."));
    };
    if counted < 0 {
        return Err(CommandError::invalid("value", "A count cannot be below zero. Give the number that was counted."));
    }
    let change = counted - supply.number("current_stock").unwrap_or(0);
    if change == 0 {
        return Ok(());
    }
    let movement = Movement {
        kind: "adjustment",
        quantity: change,
        change,
        unit_cost: None,
        reference_number: None,
        notes: Some("Counted after a conflict"),
    };
    stock::record(draft, supply, &movement).map(|_| ())
}
