//! Other values for some columns of any row.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::{
    command::{
        CommandError, check, declare,
        draft::{Draft, read_values},
        record::Record,
        row_key, words,
    },
    value::Value,
};

declare::command! {
    /// Changes the named columns. A column whose value is still the one that the form was opened with is left alone.
    pub struct EditRow {
        /// The table's name.
        pub table: String,
        /// The row's id; of a composite key the parts, joined with `/`.
        pub id: String,
        /// By column name.
        pub values: Map<String, Json>,
        /// Adds to counters.
        pub add: Option<BTreeMap<String, i64>>,
        /// The values that the form was opened with, so that others' words and counts are kept.
        pub seen: Option<Map<String, Json>>,
    }
}

impl EditRow {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let table = row_key::table(&self.table)?;
        let record = draft.row(table, row_key::row_id(table, &self.id)?, "id")?;
        let seen = self.seen.as_ref().map(|seen| read_values(table, seen)).transpose()?.unwrap_or_default();
        for (name, value) in read_values(table, &self.values)? {
            let seen = seen.iter().find(|(n, _)| *n == name).map(|(_, value)| value);
            edit_column(draft, &record, name, value, seen)?;
        }
        for (name, amount) in self.add.iter().flatten() {
            draft.add(&record, check::column(table, name)?, *amount)?;
        }
        Ok(format!("Changed {}", words::noun(table.name)))
    }
}

fn edit_column(
    draft: &mut Draft,
    record: &Record,
    name: &str,
    value: Value,
    seen: Option<&Value>,
) -> Result<(), CommandError> {
    let column = check::column(record.table, name)?;
    let current = record.get(name);
    let untouched = seen.is_some_and(|seen| check::same(column, &value, seen));
    if untouched || check::same(column, &value, current) {
        return Ok(());
    }
    draft.set(record, column, value, seen.unwrap_or(current).clone())
}
