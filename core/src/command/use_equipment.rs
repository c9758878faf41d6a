//! Equipment is put to use.

use crate::{
    command::{CommandError, bed, declare, draft::Draft, equipment, record::Record, words},
    ids::RowId,
    value::Value,
};

declare::command! {
    /// Puts available equipment to use for a patient.
    pub struct UseEquipment {
        pub equipment_id: RowId,
        pub patient_id: RowId,
        pub staff_id: RowId,
        /// Without it the bed in which the patient lies, if any.
        pub bed_id: Option<RowId>,
        pub purpose: Option<String>,
        pub notes: Option<String>,
    }
}

impl UseEquipment {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let piece = draft.named_row("equipment", self.equipment_id, "equipmentId")?;
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let staff = draft.named_row("staff", self.staff_id, "staffId")?;
        refuse_unless_available(draft, &piece)?;
        let bed = match self.bed_id {
            Some(id) => Some(id),
            None => bed::of_patient(draft, patient.id())?.map(|bed| bed.id()),
        };
        let now = draft.now();
        draft.edit(&piece, vec![("status", "in_use".into())])?;
        let values = vec![
            ("patient_id", patient.id().into()),
            ("equipment_id", piece.id().into()),
            ("staff_id", staff.id().into()),
            ("bed_id", bed.into()),
            ("start_time", now.into()),
            ("purpose", self.purpose.as_deref().into()),
            ("status", "active".into()),
            ("notes", self.notes.as_deref().into()),
        ];
        draft.create("equipment_usage", values)?;
        if let Some(bed) = bed {
            let values = vec![
                ("bed_id", bed.into()),
                ("equipment_id", piece.id().into()),
                ("patient_id", patient.id().into()),
                ("assigned_at", now.into()),
                ("status", "in_use".into()),
                ("assigned_by_staff_id", staff.id().into()),
            ];
            draft.create("bed_equipment_assignments", values)?;
        }
        Ok(format!("Use {} for {}", piece.text("name"), words::person(&patient)))
    }
}

fn refuse_unless_available(draft: &Draft, piece: &Record) -> Result<(), CommandError> {
    let name = piece.text("name");
    let reason = match piece.text("status") {
        "in_use" => {
            let usages =
                draft.find("equipment_usage", &[("equipment_id", piece.id().into()), ("end_time", Value::Null)])?;
            match usages.iter().find(|usage| equipment::is_in_use(usage)) {
                Some(usage) => format!("in use for {}", words::patient(draft, usage.reference("patient_id"))?),
                None => "in use".into(),
            }
        }
        "maintenance" => "under maintenance".into(),
        "out_of_order" => "out of order".into(),
        _ => return Ok(()),
    };
    Err(CommandError::refused(format!("{name} is {reason}. Choose another piece, or release it first.")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn equipment_in_use_stands_at_the_patients_bed() {
        let mut ward = Ward::with_anna_in_bed_1();
        let command = json!({ "equipmentId": MONITOR, "patientId": ANNA, "staffId": NURSE_STAFF });
        ward.run("useEquipment", command).unwrap();
        assert_eq!(ward.text("equipment", MONITOR, "status"), "in_use");
        assert_eq!(ward.only("equipment_usage").text("status"), "active");
        let assignment = ward.only("bed_equipment_assignments");
        assert!(assignment.refers_to("bed_id", BED_1) && assignment.refers_to("assigned_by_staff_id", NURSE_STAFF));
    }

    #[test]
    fn equipment_that_another_patient_needs_is_refused() {
        let mut ward = Ward::new();
        let command = |patient| json!({ "equipmentId": MONITOR, "patientId": patient, "staffId": NURSE_STAFF });
        ward.run("useEquipment", command(ANNA)).unwrap();
        let error = ward.refusal("useEquipment", command(BERT));
        assert!(error.to_string().starts_with("monitor is in use for Anna Holm (P-1)."), "{error}");
    }
}
