//! Hides a row of any table.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    command::{CommandError, declare, draft::Draft, record::Record, row_key, words},
    ids::RowId,
    schema::{Schema, TableId},
};

declare::command! {
    /// Hides a row; its history stays. Refused while other rows refer to it.
    pub struct DeleteRow {
        /// The table's name.
        pub table: String,
        /// The row's id; of a composite key the parts, joined with `/`.
        pub id: String,
    }
}

impl DeleteRow {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let table = row_key::table(&self.table)?;
        let record = draft.row(table, row_key::row_id(table, &self.id)?, "id")?;
        refuse_if_referenced(draft, &record)?;
        draft.delete(&record);
        Ok(format!("Deleted {}", words::noun(table.name)))
    }
}

pub(super) fn refuse_if_referenced(draft: &Draft, record: &Record) -> Result<(), CommandError> {
    let mut referring: BTreeMap<TableId, BTreeSet<RowId>> = BTreeMap::new();
    for (table, column) in &record.table.referenced_by {
        let rows = draft.reader().find(Schema::hospital().by_id(*table), &[(*column, record.id().into())])?;
        referring.entry(*table).or_default().extend(rows.into_iter().map(|row| row.id));
    }
    let counts: Vec<String> = referring
        .iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(table, rows)| words::count(Schema::hospital().by_id(*table).name, rows.len()))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    Err(CommandError::refused(format!(
        "This {} cannot be deleted because other rows refer to it: {}. Change or delete those first.",
        words::noun(record.table.name),
        counts.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn a_row_that_others_refer_to_stays_and_they_are_counted() {
        let mut ward = Ward::new();
        let error = ward.refusal("deleteRow", json!({ "table": "rooms", "id": ROOM }));
        assert!(error.to_string().contains("other rows refer to it: 2 beds."), "{error}");
        ward.run("deleteRow", json!({ "table": "beds", "id": BED_1 })).unwrap();
        ward.run("deleteRow", json!({ "table": "beds", "id": BED_2 })).unwrap();
        ward.run("deleteRow", json!({ "table": "rooms", "id": ROOM })).unwrap();
        assert!(ward.rows("rooms").is_empty());
    }
}
