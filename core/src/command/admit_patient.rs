//! A patient gets a bed.

use crate::{
    command::{CommandError, bed, declare, draft::Draft, queue, record::Record, words},
    ids::RowId,
};

declare::command! {
    /// Gives a patient a free bed; ends his wait and the bed's turnover.
    pub struct AdmitPatient {
        pub patient_id: RowId,
        pub bed_id: RowId,
        /// The queue entry that this ends; without it the patient's waiting one, if any.
        pub queue_entry_id: Option<RowId>,
    }
}

impl AdmitPatient {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let bed = draft.named_row("beds", self.bed_id, "bedId")?;
        let (name, place) = (words::person(&patient), words::bed(draft, &bed)?);
        if let Some(present) = bed::of_patient(draft, patient.id())? {
            let present = words::bed(draft, &present)?;
            return Err(CommandError::refused(format!("{name} lies in {present}. Transfer the patient instead.")));
        }
        bed::refuse_unless_free(draft, &bed)?;
        let entry = self.queue_entry(draft, &patient)?;
        bed::occupy(draft, &bed, patient.id(), entry.as_ref())?;
        Ok(format!("Admit {name} to {place}"))
    }

    fn queue_entry(&self, draft: &Draft, patient: &Record) -> Result<Option<Record>, CommandError> {
        let Some(id) = self.queue_entry_id else { return queue::waiting(draft, patient.id()) };
        let entry = draft.named_row("patient_queue", id, "queueEntryId")?;
        if !entry.refers_to("patient_id", patient.id()) {
            let message = format!("This queue entry is not that of {}. Choose the right one.", words::person(patient));
            return Err(CommandError::invalid("queueEntryId", message));
        }
        if !queue::is_waiting(&entry) {
            let message = format!("This queue entry is {} already. Leave it out.", entry.text("status"));
            return Err(CommandError::invalid("queueEntryId", message));
        }
        Ok(Some(entry))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn admitting_fills_the_bed_and_ends_the_wait() {
        let mut ward = Ward::new();
        ward.run("queuePatient", json!({ "patientId": ANNA, "departmentId": SURGERY })).unwrap();
        let plan = ward.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 })).unwrap();
        assert_eq!(plan.summary, "Admit Anna Holm (P-1) to bed 1 in room 101");
        let bed = ward.row("beds", BED_1);
        assert_eq!(bed.text("status"), "occupied");
        assert!(bed.refers_to("patient_id", ANNA));
        assert_eq!(bed.time("admission_date"), Some(ward.now));
        let entry = ward.only("patient_queue");
        assert_eq!(entry.text("status"), "admitted");
        assert!(entry.refers_to("assigned_bed_id", BED_1));
        assert_eq!(entry.time("assignment_time"), Some(ward.now));
    }

    #[test]
    fn admitting_to_an_occupied_bed_is_refused_and_says_who_lies_there() {
        let mut ward = Ward::with_anna_in_bed_1();
        let error = ward.refusal("admitPatient", json!({ "patientId": BERT, "bedId": BED_1 }));
        assert_eq!(error.code(), "refused");
        assert_eq!(error.to_string(), "Bed 1 in room 101 is occupied: Anna Holm (P-1) lies there. Choose another bed.");
    }

    #[test]
    fn a_patient_lies_in_one_bed_at_a_time() {
        let mut ward = Ward::with_anna_in_bed_1();
        let error = ward.refusal("admitPatient", json!({ "patientId": ANNA, "bedId": BED_2 }));
        assert!(error.to_string().contains("lies in bed 1 in room 101. Transfer"), "{error}");
    }

    #[test]
    fn a_bed_under_maintenance_is_refused() {
        let mut ward = Ward::new();
        ward.run("editRow", json!({ "table": "beds", "id": BED_1, "values": { "status": "maintenance" } })).unwrap();
        let error = ward.refusal("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 }));
        assert!(error.to_string().contains("under maintenance"), "{error}");
    }

    #[test]
    fn somebody_elses_queue_entry_is_refused() {
        let mut ward = Ward::new();
        ward.run("queuePatient", json!({ "patientId": BERT, "departmentId": SURGERY })).unwrap();
        let entry = ward.only("patient_queue").id();
        let error = ward.refusal("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1, "queueEntryId": entry }));
        assert_eq!((error.code(), error.field()), ("invalid", Some("queueEntryId")));
    }

    #[test]
    fn a_cleaned_bed_is_taken_and_its_turnover_ends_with_the_new_patient() {
        let mut ward = Ward::with_anna_in_bed_1();
        ward.run("dischargePatient", json!({ "patientId": ANNA, "bedId": BED_1 })).unwrap();
        ward.wait(10);
        let command = json!({ "patientId": BERT, "bedId": BED_1 });
        let error = ward.refusal("admitPatient", command.clone());
        assert!(error.to_string().contains("not clean yet, 6 bed cleaning tasks left"), "{error}");
        ward.clean();
        ward.wait(20);
        ward.run("admitPatient", command).unwrap();
        let turnover = ward.only("bed_turnovers");
        assert_eq!(turnover.text("status"), "assigned");
        assert!(turnover.refers_to("next_patient_id", BERT));
        let log = ward.only("bed_turnover_logs");
        assert_eq!(log.text("status"), "completed");
        assert!(log.refers_to("next_patient_id", BERT));
        assert_eq!(log.number("total_turnover_time"), Some(30));
    }
}
