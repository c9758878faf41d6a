//! The queue for beds.

use crate::{
    command::{CommandError, draft::Draft, draft::NamedValues, record::Record, words},
    ids::RowId,
    value::Value,
};

/// True while the patient of this entry has no bed yet.
pub(super) fn is_waiting(entry: &Record) -> bool {
    matches!(entry.text("status"), "waiting" | "assigned")
}

/// The entry with which the patient waits, if any.
pub(super) fn waiting(draft: &Draft, patient: RowId) -> Result<Option<Record>, CommandError> {
    Ok(draft
        .find("patient_queue", &[("patient_id", patient.into())])?
        .into_iter()
        .find(is_waiting))
}

/// The place after the last one who waits for this department.
pub(super) fn last_position(draft: &Draft, department: RowId) -> Result<i64, CommandError> {
    let entries = draft.find("patient_queue", &[("department_id", department.into())])?;
    let last = entries
        .iter()
        .filter(|e| is_waiting(e))
        .filter_map(|e| e.number("queue_position"))
        .max();
    Ok(last.unwrap_or(0) + 1)
}

/// Lets the patient wait at the end of the department's queue.
pub(super) fn append(
    draft: &mut Draft,
    patient: RowId,
    department: RowId,
    mut values: NamedValues<'_>,
) -> Result<RowId, CommandError> {
    values.push(("patient_id", patient.into()));
    values.push(("department_id", department.into()));
    values.push(("queue_position", last_position(draft, department)?.into()));
    draft.create("patient_queue", values)
}

/// The wait is over: the patient lies in the bed.
pub(super) fn admit(draft: &mut Draft, entry: &Record, bed: &Record) -> Result<(), CommandError> {
    let now = draft.now();
    let values = vec![
        ("status", "admitted".into()),
        ("assigned_bed_id", bed.id().into()),
        ("assignment_time", now.into()),
    ];
    draft.edit(entry, values)
}

/// The entry with which the patient came to this bed, if any.
pub(super) fn admitted_to(draft: &Draft, patient: RowId, bed: &Record) -> Result<Option<Record>, CommandError> {
    let entries = draft.find(
        "patient_queue",
        &[("patient_id", patient.into()), ("assigned_bed_id", bed.id().into())],
    )?;
    let admitted = entries.into_iter().filter(|entry| entry.text("status") == "admitted");
    Ok(admitted.max_by_key(|entry| entry.time("assignment_time")))
}

/// The patient has the bed after all: if he waits, his wait is over.
pub(super) fn confirm(draft: &mut Draft, patient: RowId, bed: &Record) -> Result<(), CommandError> {
    match waiting(draft, patient)? {
        Some(entry) => admit(draft, &entry, bed),
        None => Ok(()),
    }
}

/// The patient did not get the bed after all: he waits again, where he waited before if that is known.
pub(super) fn return_from(draft: &mut Draft, patient: RowId, bed: &Record) -> Result<(), CommandError> {
    let entries = draft.find("patient_queue", &[("patient_id", patient.into())])?;
    if entries.iter().any(is_waiting) {
        return Ok(());
    }
    if let Some(entry) = admitted_to(draft, patient, bed)? {
        let values = vec![
            ("status", "waiting".into()),
            ("assigned_bed_id", Value::Null),
            ("assignment_time", Value::Null),
        ];
        return draft.edit(&entry, values);
    }
    let department = department_of(draft, bed)?;
    append(draft, patient, department, vec![("priority_level", "high".into())]).map(|_| ())
}

/// The department of the bed's room, or else the maker's own.
fn department_of(draft: &Draft, bed: &Record) -> Result<RowId, CommandError> {
    let room = draft.referenced(bed, "room_id")?;
    if let Some(department) = room.and_then(|room| room.reference("department_id")) {
        return Ok(department);
    }
    let own = draft
        .maker_as_staff()?
        .and_then(|staff| staff.reference("department_id"));
    own.ok_or_else(|| {
        let message = "The room of this bed has no department, so there is no queue to put the patient back into. \
                       Enter the room's department first.";
        CommandError::refused(message)
    })
}

/// Refuses while the patient waits already.
pub(super) fn refuse_if_waiting(draft: &Draft, patient: &Record) -> Result<(), CommandError> {
    let Some(entry) = waiting(draft, patient.id())? else {
        return Ok(());
    };
    let department = draft.referenced(&entry, "department_id")?;
    let place = department.map_or_else(String::new, |d| format!(" for {}", d.text("name")));
    let name = words::person(patient);
    Err(CommandError::refused(format!(
        "{name} waits{place} already. Change that queue entry instead."
    )))
}
