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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    fn at(time: &str) -> serde_json::Value {
        json!({ "patientId": ANNA, "doctorId": DOCTOR, "departmentId": SURGERY, "appointmentDate": time })
    }

    #[test]
    fn an_appointment_takes_half_an_hour_unless_said_otherwise() {
        let mut ward = Ward::new();
        ward.run("bookAppointment", at("2026-02-02T10:00:00Z")).unwrap();
        let booked = ward.only("appointments");
        assert_eq!((booked.text("status"), booked.number("duration_minutes")), ("scheduled", Some(30)));
    }

    #[test]
    fn a_doctor_has_one_appointment_at_a_time() {
        let mut ward = Ward::new();
        ward.run("bookAppointment", at("2026-02-02T10:00:00Z")).unwrap();
        let error = ward.refusal("bookAppointment", at("2026-02-02T10:29:00Z"));
        let expected = "The doctor has an appointment with Anna Holm (P-1) from 2026-02-02 10:00 UTC to \
                        2026-02-02 10:30 UTC. Choose another time.";
        assert_eq!(error.to_string(), expected);
        ward.run("bookAppointment", at("2026-02-02T10:30:00Z")).unwrap();
        ward.run("bookAppointment", at("2026-02-02T09:30:00Z")).unwrap();
    }
}
