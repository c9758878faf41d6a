//! What happened during a stay, for the discharge report. The keys are the columns' names.

use serde_json::{Map, Value as Json};

use crate::{
    command::{CommandError, draft::Draft, record::Record, words},
    ids::Timestamp,
};

/// The rows of a stay, with the names of those they refer to.
pub(super) struct DischargeSummary {
    treatments: Vec<Record>,
    /// With the names of the equipment.
    usages: Vec<(String, Record)>,
    /// With the names of the staff.
    assignments: Vec<(String, Record)>,
}

impl DischargeSummary {
    /// Reads what concerns the patient since his admission.
    pub fn gather(draft: &Draft, patient: &Record, bed: &Record, admission: Timestamp) -> Result<Self, CommandError> {
        let of_patient = |table| draft.find(table, &[("patient_id", patient.id().into())]);
        let since = |row: &Record, end: &str| row.time(end).is_none_or(|end| end >= admission);
        let mut treatments = of_patient("treatment_records")?;
        treatments.retain(|t| t.refers_to("bed_id", bed.id()) || t.time("start_date") >= Some(admission));
        treatments.retain(|t| since(t, "end_date"));
        treatments.sort_unstable_by_key(|t| (t.time("start_date"), t.id()));
        let mut usages = Vec::new();
        for usage in of_patient("equipment_usage")?
            .into_iter()
            .filter(|u| since(u, "end_time"))
        {
            let piece = draft.referenced(&usage, "equipment_id")?;
            usages.push((piece.map(|e| e.text("name").to_owned()).unwrap_or_default(), usage));
        }
        let mut assignments = Vec::new();
        for assignment in of_patient("staff_assignments")?
            .into_iter()
            .filter(|a| since(a, "end_date"))
        {
            let staff = draft.referenced(&assignment, "staff_id")?;
            let name = staff.map(|s| words::staff(draft, &s)).transpose()?;
            assignments.push((name.unwrap_or_default(), assignment));
        }
        Ok(Self {
            treatments,
            usages,
            assignments,
        })
    }

    pub fn treatments(&self) -> Json {
        let columns = [
            "treatment_type",
            "treatment_name",
            "dosage",
            "frequency",
            "start_date",
            "end_date",
            "status",
        ];
        self.treatments.iter().map(|t| pick(t, &columns)).collect()
    }

    pub fn medications(&self) -> Json {
        self.of_type("medication", &["treatment_name", "dosage", "frequency", "duration"])
    }

    pub fn procedures(&self) -> Json {
        self.of_type("procedure", &["treatment_name", "description", "start_date", "status"])
    }

    pub fn equipment(&self) -> Json {
        named(&self.usages, &["purpose", "start_time", "end_time"])
    }

    pub fn staff(&self) -> Json {
        named(&self.assignments, &["assignment_type", "start_date", "end_date"])
    }

    fn of_type(&self, kind: &str, columns: &[&str]) -> Json {
        let current = self.treatments.iter().filter(|t| t.text("status") != "discontinued");
        current
            .filter(|t| t.text("treatment_type") == kind)
            .map(|t| pick(t, columns))
            .collect()
    }
}

fn named(rows: &[(String, Record)], columns: &[&str]) -> Json {
    let with_name = |(name, row): &(String, Record)| {
        let mut out = Map::from_iter([("name".to_owned(), Json::from(name.as_str()))]);
        if let Json::Object(columns) = pick(row, columns) {
            out.extend(columns);
        }
        Json::Object(out)
    };
    rows.iter().map(with_name).collect()
}

/// These columns of the row, without the empty ones.
fn pick(row: &Record, columns: &[&str]) -> Json {
    let filled = columns.iter().filter(|column| !row.is_null(column));
    Json::Object(
        filled
            .map(|column| ((*column).to_owned(), row.get(column).to_json()))
            .collect(),
    )
}
