//! A patient leaves the hospital.

use serde_json::{Value as Json, json};

use crate::{
    command::{
        CommandError, bed, check, declare, discharge_summary::DischargeSummary, draft::Draft, number, record::Record,
        stay::Stay, turnover, words,
    },
    ids::{RowId, Timestamp},
    schema::Schema,
    value::Value,
};

declare::command! {
    /// Ends a patient's stay: writes the discharge report, releases staff and equipment, opens the bed's cleaning.
    pub struct DischargePatient {
        pub patient_id: RowId,
        pub bed_id: RowId,
        pub discharge_condition: Option<String>,
        pub discharge_destination: Option<String>,
        pub discharge_instructions: Option<String>,
        pub follow_up_required: Option<String>,
        /// What the patient goes on taking; without it the medication of the stay.
        pub medications: Option<Json>,
    }
}

impl DischargePatient {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let bed = draft.named_row("beds", self.bed_id, "bedId")?;
        bed::refuse_unless_lies_in(draft, &bed, &patient)?;
        self.write_report(draft, &patient, &bed)?;
        let released = Stay::of_patient_and_bed(draft, patient.id(), bed.id())?.end(draft)?;
        bed::vacate(draft, &bed)?;
        turnover::open(draft, &bed, patient.id(), &released)?;
        Ok(format!("Discharge {} from {}", words::person(&patient), words::bed(draft, &bed)?))
    }

    fn write_report(&self, draft: &mut Draft, patient: &Record, bed: &Record) -> Result<(), CommandError> {
        let (now, user) = (draft.now(), draft.maker.user);
        let admission = bed.time("admission_date").filter(|admission| *admission <= now).unwrap_or(now);
        let summary = DischargeSummary::gather(draft, patient, bed, admission)?;
        let medications = match &self.medications {
            Some(given) => check::read(Schema::hospital().expect("discharge_reports").expect("medications"), given)?,
            None => summary.medications().to_string().into(),
        };
        let number = number::unused(draft, "D", "discharge_reports", "report_number")?;
        let text = |json: Json| -> Value { json.to_string().into() };
        let values = vec![
            ("patient_id", patient.id().into()),
            ("bed_id", bed.id().into()),
            ("generated_by", user.into()),
            ("report_number", number.into()),
            ("admission_date", admission.into()),
            ("discharge_date", now.into()),
            ("length_of_stay_days", nights(admission, now).into()),
            ("patient_summary", text(patient_summary(patient))),
            ("treatment_summary", text(summary.treatments())),
            ("equipment_summary", text(summary.equipment())),
            ("staff_summary", text(summary.staff())),
            ("medications", medications),
            ("procedures", text(summary.procedures())),
            ("discharge_instructions", self.discharge_instructions.as_deref().into()),
            ("follow_up_required", self.follow_up_required.as_deref().into()),
            ("discharge_condition", self.discharge_condition.as_deref().into()),
            ("discharge_destination", self.discharge_destination.as_deref().into()),
        ];
        draft.create("discharge_reports", values).map(|_| ())
    }
}

/// The length of a stay as hospitals count it: midnights passed (UTC).
fn nights(admission: Timestamp, discharge: Timestamp) -> Option<i64> {
    let (from, to) = (admission.to_datetime()?.date_naive(), discharge.to_datetime()?.date_naive());
    Some((to - from).num_days())
}

fn patient_summary(patient: &Record) -> Json {
    json!({
        "name": format!("{} {}", patient.text("first_name"), patient.text("last_name")),
        "patient_number": patient.text("patient_number"),
        "date_of_birth": patient.get("date_of_birth").to_json(),
        "gender": patient.get("gender").to_json(),
        "blood_type": patient.get("blood_type").to_json(),
        "allergies": patient.get("allergies").to_json(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{command::ward::*, value::Value};

    fn discharged() -> Ward {
        let mut ward = Ward::with_anna_in_bed_1();
        let staff = json!({ "patientId": ANNA, "staffId": NURSE_STAFF, "assignmentType": "primary_care" });
        ward.run("assignStaff", staff).unwrap();
        let use_it =
            json!({ "equipmentId": MONITOR, "patientId": ANNA, "staffId": NURSE_STAFF, "purpose": "monitoring" });
        ward.run("useEquipment", use_it).unwrap();
        let treatment = json!({ "patientId": ANNA, "doctorId": DOCTOR, "treatmentType": "medication",
                                "treatmentName": "Aspirin", "dosage": "100 mg" });
        ward.run("recordTreatment", treatment).unwrap();
        ward.wait(3 * 24 * 60);
        let command = json!({ "patientId": ANNA, "bedId": BED_1, "dischargeCondition": "improved" });
        ward.run("dischargePatient", command).unwrap();
        ward
    }

    #[test]
    fn the_report_tells_the_stay() {
        let ward = discharged();
        let report = ward.only("discharge_reports");
        assert!(report.text("report_number").starts_with("D-20260203-"));
        assert_eq!(report.number("length_of_stay_days"), Some(3));
        assert_eq!(report.text("discharge_condition"), "improved");
        assert_eq!(report.text("medications"), r#"[{"treatment_name":"Aspirin","dosage":"100 mg"}]"#);
        assert!(report.text("staff_summary").contains("Nora Berg"));
        assert!(report.text("equipment_summary").contains("monitor"));
        assert!(report.text("patient_summary").contains("1980-05-06"));
        assert_eq!(report.text("procedures"), "[]");
        assert_eq!(report.get("generated_by"), &Value::from(NURSE));
    }

    #[test]
    fn staff_and_equipment_are_released() {
        let ward = discharged();
        assert_eq!(ward.only("staff_assignments").time("end_date"), Some(ward.now));
        assert_eq!(ward.only("bed_staff_assignments").text("status"), "completed");
        assert_eq!(ward.only("bed_equipment_assignments").text("status"), "released");
        assert_eq!(ward.only("equipment_usage").number("duration_minutes"), Some(3 * 24 * 60));
        assert_eq!(ward.text("equipment", MONITOR, "status"), "available");
        assert_eq!(ward.only("equipment_turnovers").text("status"), "needs_cleaning");
    }

    #[test]
    fn the_bed_goes_into_cleaning() {
        let ward = discharged();
        let bed = ward.row("beds", BED_1);
        assert_eq!((bed.text("status"), bed.reference("patient_id")), ("cleaning", None));
        assert_eq!(bed.time("discharge_date"), Some(ward.now));
        let turnover = ward.only("bed_turnovers");
        assert_eq!(turnover.text("status"), "initiated");
        assert!(turnover.refers_to("previous_patient_id", ANNA));
        assert_eq!(turnover.number("estimated_cleaning_duration"), Some(45));
        let log = ward.only("bed_turnover_logs");
        assert_eq!((log.text("status"), log.text("cleaning_status")), ("initiated", "pending"));
        let tasks = ward.rows("bed_cleaning_tasks");
        assert!(tasks.len() == 6 && tasks.iter().all(|t| t.refers_to("turnover_log_id", log.id())));
    }

    #[test]
    fn who_does_not_lie_there_cannot_be_discharged() {
        let mut ward = Ward::with_anna_in_bed_1();
        let error = ward.refusal("dischargePatient", json!({ "patientId": BERT, "bedId": BED_1 }));
        assert!(error.to_string().contains("Anna Holm (P-1) does"), "{error}");
    }
}
