//! A patient moves to another bed.

use crate::{
    command::{
        CommandError, bed, declare,
        draft::Draft,
        queue,
        stay::Stay,
        turnover::{self, Released},
        words,
    },
    ids::RowId,
    value::Value,
};

declare::command! {
    /// Moves a patient to another free bed, with staff and equipment; the old bed goes into cleaning.
    pub struct TransferPatient {
        pub patient_id: RowId,
        pub from_bed_id: RowId,
        pub to_bed_id: RowId,
    }
}

impl TransferPatient {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let from = draft.named_row("beds", self.from_bed_id, "fromBedId")?;
        let to = draft.named_row("beds", self.to_bed_id, "toBedId")?;
        let (name, old, new) = (words::person(&patient), words::bed(draft, &from)?, words::bed(draft, &to)?);
        if from.id() == to.id() {
            return Err(CommandError::invalid("toBedId", format!("{name} lies in {new} already. Choose another bed.")));
        }
        bed::refuse_unless_lies_in(draft, &from, &patient)?;
        bed::refuse_unless_free(draft, &to)?;
        let stay = Stay::of_patient(draft, patient.id())?;
        stay.move_to(draft, to.id())?;
        bed::vacate(draft, &from)?;
        turnover::open(draft, &from, patient.id(), &Released::default())?;
        let entry = queue::waiting(draft, patient.id())?;
        bed::occupy(draft, &to, patient.id(), entry.as_ref())?;
        if let admission @ Value::Timestamp(_) = from.get("admission_date") {
            // The stay goes on: its length counts from the first bed.
            draft.edit(&to, vec![("admission_date", admission.clone())])?;
        }
        Ok(format!("Transfer {name} from {old} to {new}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn the_patient_moves_with_staff_and_equipment_and_the_old_bed_is_cleaned() {
        let mut ward = Ward::with_anna_in_bed_1();
        let admission = ward.now;
        let staff = json!({ "patientId": ANNA, "staffId": NURSE_STAFF, "assignmentType": "primary_care" });
        ward.run("assignStaff", staff).unwrap();
        let use_it = json!({ "equipmentId": MONITOR, "patientId": ANNA, "staffId": NURSE_STAFF });
        ward.run("useEquipment", use_it).unwrap();
        ward.wait(60);
        let command = json!({ "patientId": ANNA, "fromBedId": BED_1, "toBedId": BED_2 });
        let plan = ward.run("transferPatient", command).unwrap();
        assert_eq!(plan.summary, "Transfer Anna Holm (P-1) from bed 1 in room 101 to bed 2 in room 101");

        let (old, new) = (ward.row("beds", BED_1), ward.row("beds", BED_2));
        assert_eq!((old.text("status"), old.reference("patient_id")), ("cleaning", None));
        assert_eq!((new.text("status"), new.reference("patient_id")), ("occupied", Some(ANNA)));
        assert_eq!(new.time("admission_date"), Some(admission));
        assert!(ward.only("bed_turnovers").refers_to("bed_id", BED_1));
        assert!(ward.only("staff_assignments").refers_to("bed_id", BED_2));
        assert!(ward.only("equipment_usage").refers_to("bed_id", BED_2));
        for table in ["bed_staff_assignments", "bed_equipment_assignments"] {
            let rows = ward.rows(table);
            let open: Vec<_> = rows.iter().filter(|row| row.is_null("released_at")).collect();
            assert_eq!((rows.len(), open.len()), (2, 1), "{table}");
            assert!(open[0].refers_to("bed_id", BED_2), "{table}");
        }
        assert_eq!(ward.text("equipment", MONITOR, "status"), "in_use");
        assert!(ward.rows("discharge_reports").is_empty());
    }

    #[test]
    fn only_who_lies_there_can_be_moved_and_only_to_a_free_bed() {
        let mut ward = Ward::with_anna_in_bed_1();
        let error = ward.refusal("transferPatient", json!({ "patientId": BERT, "fromBedId": BED_1, "toBedId": BED_2 }));
        assert!(error.to_string().contains("Bert Holm (P-2) does not lie in bed 1 in room 101; Anna"), "{error}");
        ward.run("admitPatient", json!({ "patientId": BERT, "bedId": BED_2 })).unwrap();
        let error = ward.refusal("transferPatient", json!({ "patientId": ANNA, "fromBedId": BED_1, "toBedId": BED_2 }));
        assert!(error.to_string().contains("Bert Holm (P-2) lies there"), "{error}");
    }
}
