//! A member of staff takes charge of a patient.

use crate::{
    command::{CommandError, bed, declare, draft::Draft, record::Record, words},
    ids::RowId,
    value::Value,
};

declare::command! {
    /// Puts a member of staff in charge of a patient, and of the bed in which the patient lies.
    pub struct AssignStaff {
        pub patient_id: RowId,
        pub staff_id: RowId,
        pub assignment_type: String,
        /// Without it the bed in which the patient lies, if any.
        pub bed_id: Option<RowId>,
        pub shift: Option<String>,
        pub responsibilities: Option<String>,
    }
}

impl AssignStaff {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let staff = draft.named_row("staff", self.staff_id, "staffId")?;
        let name = words::staff(draft, &staff)?;
        self.refuse_unless_assignable(draft, &staff, &name)?;
        let bed = match self.bed_id {
            Some(id) => Some(draft.named_row("beds", id, "bedId")?),
            None => bed::of_patient(draft, patient.id())?,
        };
        if let Some(bed) = &bed {
            bed::refuse_unless_lies_in(draft, bed, &patient)?;
        }
        let now = draft.now();
        let values = vec![
            ("patient_id", patient.id().into()),
            ("staff_id", staff.id().into()),
            ("bed_id", bed.as_ref().map(Record::id).into()),
            ("assignment_type", self.assignment_type.as_str().into()),
            ("start_date", now.into()),
            ("shift", self.shift.as_deref().into()),
            ("responsibilities", self.responsibilities.as_deref().into()),
        ];
        draft.create("staff_assignments", values)?;
        if let Some(bed) = &bed {
            self.assign_to_bed(draft, &staff, bed)?;
        }
        Ok(format!("Assign {name} to {}", words::person(&patient)))
    }

    fn refuse_unless_assignable(&self, draft: &Draft, staff: &Record, name: &str) -> Result<(), CommandError> {
        let status = staff.text("status");
        if matches!(status, "inactive" | "on_leave") {
            let status = status.replace('_', " ");
            return Err(CommandError::refused(format!("{name} is {status}. Choose somebody who is on duty.")));
        }
        let same = [
            ("patient_id", self.patient_id.into()),
            ("staff_id", staff.id().into()),
            ("assignment_type", self.assignment_type.as_str().into()),
            ("end_date", Value::Null),
        ];
        if draft.find("staff_assignments", &same)?.is_empty() {
            return Ok(());
        }
        let kind = self.assignment_type.replace('_', " ");
        Err(CommandError::refused(format!("{name} is assigned for {kind} already. There is nothing to do.")))
    }

    fn assign_to_bed(&self, draft: &mut Draft, staff: &Record, bed: &Record) -> Result<(), CommandError> {
        let user = draft.referenced(staff, "user_id")?;
        let is_doctor = user.is_some_and(|user| user.text("role") == "doctor");
        let kind = match self.assignment_type.as_str() {
            _ if is_doctor => "doctor",
            "primary_care" => "primary_nurse",
            "secondary_care" => "secondary_nurse",
            other => other,
        };
        let now = draft.now();
        let values = vec![
            ("bed_id", bed.id().into()),
            ("staff_id", staff.id().into()),
            ("patient_id", self.patient_id.into()),
            ("assignment_type", kind.into()),
            ("assigned_at", now.into()),
            ("status", "active".into()),
            ("shift_type", self.shift.as_deref().into()),
        ];
        draft.create("bed_staff_assignments", values).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn who_is_in_charge_of_a_patient_is_in_charge_of_the_bed() {
        let mut ward = Ward::with_anna_in_bed_1();
        for (staff, kind) in [(NURSE_STAFF, "primary_nurse"), (DOCTOR_STAFF, "doctor")] {
            let command =
                json!({ "patientId": ANNA, "staffId": staff, "assignmentType": "primary_care", "shift": "day" });
            ward.run("assignStaff", command.clone()).unwrap();
            let rows = ward.rows("bed_staff_assignments");
            assert!(rows.iter().any(|r| r.refers_to("staff_id", staff) && r.text("assignment_type") == kind));
            assert_eq!(ward.refusal("assignStaff", command).code(), "refused", "twice");
        }
    }

    #[test]
    fn a_patient_without_a_bed_has_staff_too() {
        let mut ward = Ward::new();
        let command = json!({ "patientId": ANNA, "staffId": NURSE_STAFF, "assignmentType": "consultation" });
        ward.run("assignStaff", command).unwrap();
        assert!(ward.only("staff_assignments").is_null("bed_id"));
        assert!(ward.rows("bed_staff_assignments").is_empty());
    }

    #[test]
    fn who_is_on_leave_is_refused() {
        let mut ward = Ward::new();
        let leave = json!({ "table": "staff", "id": NURSE_STAFF, "values": { "status": "on_leave" } });
        ward.run("editRow", leave).unwrap();
        let command = json!({ "patientId": ANNA, "staffId": NURSE_STAFF, "assignmentType": "consultation" });
        assert!(ward.refusal("assignStaff", command).to_string().starts_with("Nora Berg is on leave."));
    }
}
