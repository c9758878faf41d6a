//! A person settles a conflict.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::{
    command::{
        CommandError, OpenConflict, bed, check, declare, delete_row,
        draft::Draft,
        queue,
        record::Record,
        stay::Stay,
        stock::{self, Movement},
        turnover::{self, Released},
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
        Ok(format!("Settle {} of {}", words::label(column.name).to_ascii_lowercase(), words::noun(table.name)))
    }

    fn keep_or_delete(&self, draft: &mut Draft, record: &Record) -> Result<String, CommandError> {
        let noun = words::noun(record.table.name);
        match self.value {
            Json::Bool(true) => {
                draft.keep(record);
                Ok(format!("Keep {noun}"))
            }
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

/// One patient has the bed; the others go back to the queue, unless they lie elsewhere.
fn settle_bed(draft: &mut Draft, bed: &Record, value: &Value, conflict: &OpenConflict) -> Result<(), CommandError> {
    let chosen = match value {
        Value::Uuid(patient) => Some(RowId(*patient)),
        _ => None,
    };
    if let Some(patient) = chosen {
        leave_other_bed(draft, patient, bed)?;
    }
    settle_column(draft, bed, bed.table.expect("patient_id"), value.clone())?;
    if let Some(patient) = chosen {
        draft.edit(bed, vec![("status", "occupied".into())])?;
        if bed.reference("patient_id") != chosen {
            // The date that stands there is the other patient's.
            let entry = queue::admitted_to(draft, patient, bed)?;
            let since = entry.and_then(|entry| entry.time("assignment_time")).unwrap_or(draft.now());
            draft.edit(bed, vec![("admission_date", since.into()), ("discharge_date", Value::Null)])?;
        }
    } else if bed.text("status") == "occupied" {
        draft.edit(bed, vec![("status", "available".into())])?;
    }
    for patient in losers(bed, value, conflict) {
        let elsewhere = bed::of_patient(draft, patient)?.is_some_and(|other| other.id() != bed.id());
        if !elsewhere {
            queue::return_from(draft, patient, bed)?;
        }
    }
    chosen.map_or(Ok(()), |patient| queue::confirm(draft, patient, bed))
}

/// The patients that somebody meant for this bed, without the one who has it now.
fn losers(bed: &Record, value: &Value, conflict: &OpenConflict) -> BTreeSet<RowId> {
    let sides = conflict.sides.iter().chain([bed.get("patient_id")]).filter(|side| *side != value);
    let patients = sides.filter_map(|side| match side {
        Value::Uuid(patient) => Some(RowId(*patient)),
        _ => None,
    });
    let mut losers = BTreeSet::new();
    losers.extend(patients);
    losers
}

/// A patient who was entered in another bed first moves here with all that belongs to his stay.
fn leave_other_bed(draft: &mut Draft, patient: RowId, bed: &Record) -> Result<(), CommandError> {
    match bed::of_patient(draft, patient)? {
        Some(other) if other.id() != bed.id() => {
            Stay::of_patient(draft, patient)?.move_to(draft, bed.id())?;
            bed::vacate(draft, &other)?;
            turnover::open(draft, &other, patient, &Released::default())
        }
        _ => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn the_chosen_value_is_written_even_if_it_is_shown_already() {
        let mut ward = Ward::new();
        ward.conflict("patients", ANNA, Some("blood_type"), vec!["A+".into(), "0-".into()]);
        ward.run("editRow", json!({ "table": "patients", "id": ANNA, "values": { "blood_type": "A+" } })).unwrap();
        let plan = ward.run("settleConflict", json!({ "conflictId": "c1", "value": "A+" })).unwrap();
        assert_eq!((plan.writes.len(), plan.settles.as_deref()), (1, Some("c1")));
        assert_eq!(plan.summary, "Settle blood type of patient");
    }

    #[test]
    fn who_does_not_get_the_bed_waits_again_in_his_own_place() {
        let mut ward = Ward::new();
        ward.run("queuePatient", json!({ "patientId": ANNA, "departmentId": SURGERY })).unwrap();
        ward.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 })).unwrap();
        ward.conflict("beds", BED_1, Some("patient_id"), vec![ANNA.into(), BERT.into()]);
        ward.run("settleConflict", json!({ "conflictId": "c1", "value": BERT })).unwrap();
        assert!(ward.row("beds", BED_1).refers_to("patient_id", BERT));
        let entry = ward.only("patient_queue");
        assert_eq!((entry.text("status"), entry.reference("assigned_bed_id")), ("waiting", None));
    }

    #[test]
    fn who_does_not_get_the_bed_and_never_waited_gets_a_queue_entry() {
        let mut ward = Ward::with_anna_in_bed_1();
        ward.conflict("beds", BED_1, Some("patient_id"), vec![ANNA.into(), BERT.into()]);
        ward.run("settleConflict", json!({ "conflictId": "c1", "value": ANNA })).unwrap();
        assert!(ward.row("beds", BED_1).refers_to("patient_id", ANNA));
        let entry = ward.only("patient_queue");
        assert!(entry.refers_to("patient_id", BERT) && entry.refers_to("department_id", SURGERY));
        assert_eq!((entry.text("status"), entry.number("queue_position")), ("waiting", Some(1)));
    }

    #[test]
    fn a_patient_whose_other_bed_was_first_can_be_moved_here_or_stay_there() {
        for (value, here, there) in [(json!(ANNA), Some(ANNA), None), (json!(null), None, Some(ANNA))] {
            let mut ward = Ward::with_anna_in_bed_1();
            ward.conflict("beds", BED_2, Some("patient_id"), vec![ANNA.into()]);
            ward.run("settleConflict", json!({ "conflictId": "c1", "value": value })).unwrap();
            assert_eq!(ward.row("beds", BED_2).reference("patient_id"), here);
            assert_eq!(ward.row("beds", BED_1).reference("patient_id"), there);
            assert!(ward.rows("patient_queue").is_empty());
        }
    }

    #[test]
    fn a_count_settles_a_stock_below_zero_and_is_written_down() {
        let mut ward = Ward::new();
        let taken = json!({ "table": "supplies", "id": GLOVES, "values": {}, "add": { "current_stock": -12 } });
        ward.run("editRow", taken).unwrap();
        ward.conflict("supplies", GLOVES, Some("current_stock"), vec![]);
        ward.run("settleConflict", json!({ "conflictId": "c1", "value": 5 })).unwrap();
        assert_eq!(ward.row("supplies", GLOVES).number("current_stock"), Some(5));
        let record = ward.only("inventory_transactions");
        assert_eq!((record.text("transaction_type"), record.number("quantity")), ("adjustment", Some(7)));
    }

    #[test]
    fn a_row_edited_here_and_deleted_there_is_kept_or_deleted() {
        for (value, left) in [(true, 1), (false, 0)] {
            let mut ward = Ward::new();
            ward.conflict("equipment", MONITOR, None, vec![]);
            ward.run("settleConflict", json!({ "conflictId": "c1", "value": value })).unwrap();
            assert_eq!(ward.rows("equipment").len(), left);
        }
    }

    #[test]
    fn a_conflict_that_is_gone_is_said_to_be() {
        let error = Ward::new().refusal("settleConflict", json!({ "conflictId": "c9", "value": null }));
        assert_eq!((error.code(), error.field()), ("not_found", Some("conflictId")));
    }
}
