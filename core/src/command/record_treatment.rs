//! A treatment is recorded.

use crate::{
    command::{CommandError, bed, check, declare, draft::Draft, words},
    ids::RowId,
    value::Value,
};

declare::command! {
    /// Records a treatment that has begun.
    pub struct RecordTreatment {
        pub patient_id: RowId,
        pub treatment_type: String,
        pub treatment_name: String,
        /// A user; without it the person who gives the command, who must then be a doctor.
        pub doctor_id: Option<RowId>,
        /// Without it the bed in which the patient lies, if any.
        pub bed_id: Option<RowId>,
        pub description: Option<String>,
        pub dosage: Option<String>,
        pub frequency: Option<String>,
        pub duration: Option<String>,
        /// Without it now.
        pub start_date: Option<String>,
        pub notes: Option<String>,
    }
}

impl RecordTreatment {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let patient = draft.named_row("patients", self.patient_id, "patientId")?;
        let doctor = self.doctor(draft)?;
        let bed = match self.bed_id {
            Some(bed) => Some(bed),
            None => bed::of_patient(draft, patient.id())?.map(|bed| bed.id()),
        };
        let start = match check::parse("treatment_records", "start_date", self.start_date.as_deref())? {
            Value::Null => draft.now().into(),
            start => start,
        };
        let values = vec![
            ("patient_id", patient.id().into()),
            ("doctor_id", doctor.into()),
            ("bed_id", bed.into()),
            ("treatment_type", self.treatment_type.as_str().into()),
            ("treatment_name", self.treatment_name.as_str().into()),
            ("description", self.description.as_deref().into()),
            ("dosage", self.dosage.as_deref().into()),
            ("frequency", self.frequency.as_deref().into()),
            ("duration", self.duration.as_deref().into()),
            ("start_date", start),
            ("status", "active".into()),
            ("notes", self.notes.as_deref().into()),
        ];
        draft.create("treatment_records", values)?;
        Ok(format!("Treat {}: {}", words::person(&patient), self.treatment_name))
    }

    fn doctor(&self, draft: &Draft) -> Result<RowId, CommandError> {
        match self.doctor_id {
            Some(doctor) => Ok(doctor),
            None if draft.maker_is("doctor")? => Ok(RowId(draft.maker.user.0)),
            None => Err(CommandError::invalid("doctorId", "Choose the doctor who ordered the treatment.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn a_doctor_records_for_himself_at_the_patients_bed() {
        let mut ward = Ward::with_anna_in_bed_1();
        let command = json!({ "patientId": ANNA, "treatmentType": "therapy", "treatmentName": "Walking" });
        let error = ward.refusal("recordTreatment", command.clone());
        assert_eq!((error.code(), error.field()), ("invalid", Some("doctorId")));
        ward.user = DOCTOR;
        ward.run("recordTreatment", command).unwrap();
        let record = ward.only("treatment_records");
        assert!(record.refers_to("doctor_id", DOCTOR) && record.refers_to("bed_id", BED_1));
        assert_eq!((record.text("status"), record.time("start_date")), ("active", Some(ward.now)));
    }

    #[test]
    fn a_bad_time_names_its_field() {
        let mut ward = Ward::new();
        let command = json!({ "patientId": ANNA, "treatmentType": "therapy", "treatmentName": "Walking",
                              "doctorId": DOCTOR, "startDate": "soon" });
        assert_eq!(ward.refusal("recordTreatment", command).field(), Some("startDate"));
    }
}
