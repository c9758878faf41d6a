//! An appointment moves to another time.

use crate::{
    command::{CommandError, appointment, check, declare, draft::Draft, words},
    ids::RowId,
};

declare::command! {
    /// Moves a scheduled appointment. Refused if the doctor has another one in this time.
    pub struct MoveAppointment {
        pub appointment_id: RowId,
        pub appointment_date: String,
        /// Without it as before.
        pub duration_minutes: Option<i64>,
    }
}

impl MoveAppointment {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let booked = draft.named_row("appointments", self.appointment_id, "appointmentId")?;
        let status = booked.text("status");
        if !matches!(status, "scheduled" | "") {
            let status = status.replace('_', " ");
            return Err(CommandError::refused(format!("This appointment is {status}. Book a new one instead.")));
        }
        let start = check::time("appointments", "appointment_date", &self.appointment_date)?;
        self.duration_minutes.map_or(Ok(()), |minutes| check::positive("duration_minutes", minutes))?;
        let minutes = self.duration_minutes.or(booked.number("duration_minutes"));
        if let Some(doctor) = booked.reference("doctor_id") {
            appointment::refuse_overlap(draft, doctor, start, minutes, Some(booked.id()))?;
        }
        draft.edit(&booked, vec![("appointment_date", start.into()), ("duration_minutes", minutes.into())])?;
        let patient = words::patient(draft, booked.reference("patient_id"))?;
        Ok(format!("Move the appointment of {patient} to {}", words::minute(start)))
    }
}
