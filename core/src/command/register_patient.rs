//! A new patient in the hospital's books.

use serde_json::{Map, Value as Json};

use crate::{
    command::{CommandError, declare, draft::Draft, draft::read_values, number, words},
    schema::Schema,
};

declare::command! {
    /// Takes a new patient into the hospital's books. Without a `patient_number` one is given out.
    pub struct RegisterPatient {
        /// Columns of `patients`.
        pub values: Map<String, Json>,
    }
}

impl RegisterPatient {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let table = Schema::hospital().expect("patients");
        let mut values = read_values(table, &self.values)?;
        let given = values.iter().any(|(name, value)| *name == "patient_number" && !value.is_null());
        if !given {
            values.retain(|(name, _)| *name != "patient_number");
            let number = number::unused(draft, "P", table.name, "patient_number")?;
            values.push(("patient_number", number.into()));
        }
        let text = |column: &str| {
            let value = values.iter().find(|(name, _)| *name == column).and_then(|(_, value)| value.to_sql_text());
            value.unwrap_or_default()
        };
        let summary = format!("Register {} {} ({})", text("first_name"), text("last_name"), text("patient_number"));
        draft.create_with(table, None, values)?;
        Ok(words::capitalised(&summary))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn a_patient_without_a_number_is_given_one() {
        let mut ward = Ward::new();
        let values = json!({ "first_name": "Cleo", "last_name": "Dahl", "date_of_birth": "2001-02-03" });
        let plan = ward.run("registerPatient", json!({ "values": values })).unwrap();
        let number = ward.text("patients", plan.writes[0].row, "patient_number");
        assert!(number.starts_with("P-20260131-") && number.len() == 16, "{number}");
        assert_eq!(plan.summary, format!("Register Cleo Dahl ({number})"));
    }

    #[test]
    fn a_patient_needs_a_name() {
        let values = json!({ "last_name": "Dahl", "date_of_birth": "2001-02-03" });
        let error = Ward::new().refusal("registerPatient", json!({ "values": values }));
        assert_eq!(error.field(), Some("first_name"));
        assert_eq!(error.to_string(), "First name must not be empty. Please correct it.");
    }
}
