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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn an_appointment_moves_where_the_doctor_has_time() {
        let mut ward = Ward::new();
        let book = |time: &str| json!({ "patientId": ANNA, "doctorId": DOCTOR, "departmentId": SURGERY, "appointmentDate": time });
        let first = ward.run("bookAppointment", book("2026-02-02T10:00:00Z")).unwrap().writes[0].row;
        ward.run("bookAppointment", book("2026-02-02T11:00:00Z")).unwrap();
        let to = |time: &str| json!({ "appointmentId": first, "appointmentDate": time });
        assert_eq!(ward.refusal("moveAppointment", to("2026-02-02T10:45:00Z")).code(), "refused");
        ward.run("moveAppointment", to("2026-02-02T10:15:00Z")).unwrap();
        assert_eq!(ward.text("appointments", first, "appointment_date"), "2026-02-02T10:15:00.000000Z");
    }

    #[test]
    fn what_is_over_cannot_be_moved() {
        let mut ward = Ward::new();
        let book = json!({ "patientId": ANNA, "doctorId": DOCTOR, "departmentId": SURGERY,
                           "appointmentDate": "2026-02-02T10:00:00Z" });
        let booked = ward.run("bookAppointment", book).unwrap().writes[0].row;
        let cancel = json!({ "table": "appointments", "id": booked, "values": { "status": "cancelled" } });
        ward.run("editRow", cancel).unwrap();
        let command = json!({ "appointmentId": booked, "appointmentDate": "2026-02-03T10:00:00Z" });
        assert!(ward.refusal("moveAppointment", command).to_string().contains("is cancelled"));
    }
}
