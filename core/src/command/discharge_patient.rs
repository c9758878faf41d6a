//! A patient leaves the hospital.

use serde_json::{Value as Json, json};

use crate::{
    command::{
        CommandError, bed, check, declare,
        discharge_summary::DischargeSummary,
        draft::Draft,
        number,
        record::Record,
        stay::Stay,
        turnover, words,
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
