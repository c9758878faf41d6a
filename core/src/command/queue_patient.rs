//! A patient waits for a bed.

use crate::{
    command::{CommandError, bed, declare, draft::Draft, queue, words},
    ids::RowId,
};

declare::command! {
    /// Lets a patient wait at the end of a department's queue.
    pub struct QueuePatient {
        pub patient_id: RowId,
        pub department_id: RowId,
        pub priority_level: Option<String>,
        pub admission_type: Option<String>,
        pub bed_type_required: Option<String>,
        pub medical_condition: Option<String>,
        /// A user.
        pub doctor_id: Option<RowId>,
        pub target_bed_id: Option<RowId>,
    }
}

impl QueuePatient {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let department = draft.named_row("departments", self.department_id, "departmentId")?;
        let name = words::person(&patient);
        queue::refuse_if_waiting(draft, &patient)?;
        if let Some(bed) = bed::of_patient(draft, patient.id())? {
            let bed = words::bed(draft, &bed)?;
            return Err(CommandError::refused(format!("{name} lies in {bed} already. Transfer the patient instead.")));
        }
        let values = vec![
            ("priority_level", self.priority_level.as_deref().into()),
            ("admission_type", self.admission_type.as_deref().into()),
            ("bed_type_required", self.bed_type_required.as_deref().into()),
            ("medical_condition", self.medical_condition.as_deref().into()),
            ("doctor_id", self.doctor_id.into()),
            ("target_bed_id", self.target_bed_id.into()),
        ];
        queue::append(draft, patient.id(), department.id(), values)?;
        Ok(format!("Queue {name} for {}", department.text("name")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn the_place_is_after_the_last_who_waits() {
        let mut ward = Ward::new();
        for patient in [ANNA, BERT] {
            ward.run("queuePatient", json!({ "patientId": patient, "departmentId": SURGERY })).unwrap();
        }
        let mut places: Vec<_> = ward.rows("patient_queue").iter().map(|e| e.number("queue_position")).collect();
        places.sort_unstable();
        assert_eq!(places, [Some(1), Some(2)]);
        assert!(ward.rows("patient_queue").iter().all(|e| e.text("priority_level") == "normal"));
    }

    #[test]
    fn who_waits_already_is_refused() {
        let mut ward = Ward::new();
        let command = json!({ "patientId": ANNA, "departmentId": SURGERY });
        ward.run("queuePatient", command.clone()).unwrap();
        let error = ward.refusal("queuePatient", command);
        assert!(error.to_string().starts_with("Anna Holm (P-1) waits for Surgery already."), "{error}");
    }

    #[test]
    fn who_lies_in_a_bed_is_refused() {
        let mut ward = Ward::with_anna_in_bed_1();
        let error = ward.refusal("queuePatient", json!({ "patientId": ANNA, "departmentId": SURGERY }));
        assert!(error.to_string().contains("lies in bed 1 in room 101 already"), "{error}");
    }

    #[test]
    fn a_word_outside_the_vocabulary_names_the_commands_own_field() {
        let command = json!({ "patientId": ANNA, "departmentId": SURGERY, "priorityLevel": "asap" });
        let error = Ward::new().refusal("queuePatient", command);
        assert_eq!(error.field(), Some("priorityLevel"));
        let command = json!({ "patientId": ANNA, "departmentId": SURGERY, "doctorId": BERT });
        assert_eq!(Ward::new().refusal("queuePatient", command).field(), Some("doctorId"));
    }
}
