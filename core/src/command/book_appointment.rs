//! An appointment is booked.

use crate::{
    command::{CommandError, appointment, check, declare, draft::Draft, words},
    ids::RowId,
};

declare::command! {
    /// Books an appointment. Refused if the doctor has another one in this time.
    pub struct BookAppointment {
        pub patient_id: RowId,
        /// A user.
        pub doctor_id: RowId,
        pub department_id: RowId,
        pub appointment_date: String,
        /// Without it 30.
        pub duration_minutes: Option<i64>,
        pub reason: Option<String>,
    }
}

impl BookAppointment {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let doctor = draft.named_row("users", self.doctor_id, "doctorId")?;
        let start = check::time("appointments", "appointment_date", &self.appointment_date)?;
        self.duration_minutes.map_or(Ok(()), |minutes| check::positive("duration_minutes", minutes))?;
        appointment::refuse_overlap(draft, doctor.id(), start, self.duration_minutes, None)?;
        let values = vec![
            ("patient_id", patient.id().into()),
            ("doctor_id", doctor.id().into()),
            ("department_id", self.department_id.into()),
            ("appointment_date", start.into()),
            ("duration_minutes", self.duration_minutes.into()),
            ("reason", self.reason.as_deref().into()),
        ];
        draft.create("appointments", values)?;
        let (patient, doctor) = (words::person(&patient), words::person(&doctor));
        Ok(format!("Book {patient} with {doctor} on {}", words::minute(start)))
    }
}
