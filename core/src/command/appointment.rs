//! A doctor's time.

use crate::{
    command::{CommandError, draft::Draft, words},
    ids::{RowId, Timestamp},
};

const DEFAULT_MINUTES: i64 = 30;

/// Refuses if the doctor has another scheduled appointment in this time.
pub(super) fn refuse_overlap(
    draft: &Draft,
    doctor: RowId,
    start: Timestamp,
    minutes: Option<i64>,
    except: Option<RowId>,
) -> Result<(), CommandError> {
    let end = end_of(start, minutes);
    for other in draft.find(
        "appointments",
        &[("doctor_id", doctor.into()), ("status", "scheduled".into())],
    )? {
        let Some(other_start) = other.time("appointment_date").filter(|_| Some(other.id()) != except) else {
            continue;
        };
        let other_end = end_of(other_start, other.number("duration_minutes"));
        if start < other_end && other_start < end {
            let patient = words::patient(draft, other.reference("patient_id"))?;
            let (from, to) = (words::minute(other_start), words::minute(other_end));
            return Err(CommandError::refused(format!(
                "The doctor has an appointment with {patient} from {from} to {to}. Choose another time."
            )));
        }
    }
    Ok(())
}

fn end_of(start: Timestamp, minutes: Option<i64>) -> Timestamp {
    Timestamp(
        start
            .0
            .saturating_add(minutes.unwrap_or(DEFAULT_MINUTES).saturating_mul(60_000_000)),
    )
}
