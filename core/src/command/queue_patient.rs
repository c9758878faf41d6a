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
