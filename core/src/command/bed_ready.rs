//! A bed is ready for the next patient.

use crate::{
    command::{CommandError, declare, draft::Draft, turnover, words},
    ids::RowId,
};

declare::command! {
    /// Declares a cleaned or repaired bed ready for the next patient. Refused while cleaning tasks are open.
    pub struct BedReady {
        pub bed_id: RowId,
    }
}

impl BedReady {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let bed = draft.named_row("beds", self.bed_id, "bedId")?;
        let place = words::bed(draft, &bed)?;
        if bed.reference("patient_id").is_some() {
            let patient = words::patient(draft, bed.reference("patient_id"))?;
            let message = format!("{patient} lies in {place}. Discharge or transfer the patient first.");
            return Err(CommandError::refused(message));
        }
        if bed.text("status") == "available" {
            let place = words::capitalised(&place);
            return Err(CommandError::refused(format!("{place} is available already. There is nothing to do.")));
        }
        turnover::refuse_unless_tasks_done(draft, &bed)?;
        draft.edit(&bed, vec![("status", "available".into())])?;
        turnover::ready(draft, &bed)?;
        Ok(format!("{} is ready", words::capitalised(&place)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn a_bed_is_ready_when_its_tasks_are_done() {
        let mut ward = Ward::with_anna_in_bed_1();
        ward.run("dischargePatient", json!({ "patientId": ANNA, "bedId": BED_1 })).unwrap();
        let error = ward.refusal("bedReady", json!({ "bedId": BED_1 }));
        assert!(error.to_string().contains("6 bed cleaning tasks left: Remove linen"), "{error}");
        ward.clean();
        ward.wait(50);
        ward.run("bedReady", json!({ "bedId": BED_1 })).unwrap();
        assert_eq!(ward.text("beds", BED_1, "status"), "available");
        let turnover = ward.only("bed_turnovers");
        assert_eq!((turnover.text("status"), turnover.time("ready_time")), ("ready", Some(ward.now)));
        let log = ward.only("bed_turnover_logs");
        assert_eq!((log.text("status"), log.number("total_turnover_time")), ("completed", Some(50)));

        ward.run("admitPatient", json!({ "patientId": BERT, "bedId": BED_1 })).unwrap();
        assert_eq!(ward.only("bed_turnovers").text("status"), "assigned");
        assert!(ward.only("bed_turnover_logs").refers_to("next_patient_id", BERT));
    }

    #[test]
    fn an_occupied_or_available_bed_is_refused() {
        let mut ward = Ward::with_anna_in_bed_1();
        let error = ward.refusal("bedReady", json!({ "bedId": BED_1 }));
        assert!(error.to_string().starts_with("Anna Holm (P-1) lies in bed 1"), "{error}");
        assert!(ward.refusal("bedReady", json!({ "bedId": BED_2 })).to_string().contains("available already"));
    }
}
