//! Beds: who lies where, and whether one is free.

use crate::{
    command::{CommandError, draft::Draft, queue, record::Record, turnover, words},
    ids::RowId,
    value::Value,
};

/// The bed in which the patient lies, if any.
pub(super) fn of_patient(draft: &Draft, patient: RowId) -> Result<Option<Record>, CommandError> {
    Ok(draft
        .find("beds", &[("patient_id", patient.into())])?
        .into_iter()
        .next())
}

/// Refuses unless the bed is available, or cleaned and empty.
pub(super) fn refuse_unless_free(draft: &Draft, bed: &Record) -> Result<(), CommandError> {
    let name = words::capitalised(&words::bed(draft, bed)?);
    if let Some(patient) = bed.reference("patient_id") {
        let patient = words::patient(draft, Some(patient))?;
        return Err(CommandError::refused(format!(
            "{name} is occupied: {patient} lies there. Choose another bed."
        )));
    }
    match bed.text("status") {
        "cleaning" => turnover::refuse_unless_clean(draft, bed),
        "maintenance" => Err(CommandError::refused(format!(
            "{name} is under maintenance. Choose another bed."
        ))),
        "occupied" => Err(CommandError::refused(format!(
            "{name} is marked as occupied, though nobody is entered there. Correct its status or choose another bed."
        ))),
        _ => Ok(()),
    }
}

/// Refuses unless this patient lies in the bed.
pub(super) fn refuse_unless_lies_in(draft: &Draft, bed: &Record, patient: &Record) -> Result<(), CommandError> {
    if bed.refers_to("patient_id", patient.id()) {
        return Ok(());
    }
    let there = words::patient(draft, bed.reference("patient_id"))?;
    Err(CommandError::refused(format!(
        "{} does not lie in {}; {there} does. Look at the ward board again and choose the right bed.",
        words::person(patient),
        words::bed(draft, bed)?
    )))
}

/// The patient has left: the bed goes into cleaning.
pub(super) fn vacate(draft: &mut Draft, bed: &Record) -> Result<(), CommandError> {
    let now = draft.now();
    draft.edit(
        bed,
        vec![
            ("status", "cleaning".into()),
            ("patient_id", Value::Null),
            ("discharge_date", now.into()),
        ],
    )
}

/// Puts the patient into a free bed: ends his wait and the bed's turnover.
pub(super) fn occupy(
    draft: &mut Draft,
    bed: &Record,
    patient: RowId,
    queue_entry: Option<&Record>,
) -> Result<(), CommandError> {
    let now = draft.now();
    let values = vec![
        ("status", "occupied".into()),
        ("patient_id", patient.into()),
        ("admission_date", now.into()),
        ("discharge_date", Value::Null),
    ];
    draft.edit(bed, values)?;
    if let Some(entry) = queue_entry {
        queue::admit(draft, entry, bed)?;
    }
    turnover::end_with(draft, bed, patient)
}
