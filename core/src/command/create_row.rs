//! A new row of any table.

use serde_json::{Map, Value as Json};

use crate::command::{
    CommandError, declare,
    draft::{Draft, read_values},
    row_key, words,
};

declare::command! {
    /// Makes a row of any table. Without `id` a new one is allotted.
    pub struct CreateRow {
        /// The table's name.
        pub table: String,
        /// The row's id; of a composite key the parts, joined with `/`.
        pub id: Option<String>,
        /// By column name.
        pub values: Map<String, Json>,
    }
}

impl CreateRow {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let table = row_key::table(&self.table)?;
        let key = self.id.as_deref().map(|id| row_key::parts(table, id)).transpose()?;
        draft.create_with(table, key, read_values(table, &self.values)?)?;
        Ok(format!("New {}", words::noun(table.name)))
    }
}
