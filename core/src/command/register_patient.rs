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
