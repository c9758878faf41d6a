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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        command::ward::*,
        row::{ColumnEditKind, RowAction},
        value::Value,
    };

    fn edits(command: serde_json::Value) -> Vec<ColumnEditKind> {
        let plan = Ward::new().run("editRow", command).unwrap();
        plan.writes
            .into_iter()
            .flat_map(|write| match write.action {
                RowAction::Edit(edits) => edits.into_iter().map(|edit| edit.kind),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        let values = json!({ "id": ANNA, "first_name": "Anna", "phone": "123", "updated_at": null });
        let edits = edits(json!({ "table": "patients", "id": ANNA, "values": values }));
        assert_eq!(edits, [ColumnEditKind::Set { value: "123".into(), seen: None }]);
    }

    #[test]
    fn nothing_is_written_where_nothing_differs() {
        let command = json!({ "table": "patients", "id": ANNA, "values": { "first_name": "Anna" } });
        assert!(Ward::new().run("editRow", command).unwrap().writes.is_empty());
    }

    #[test]
    fn a_field_that_the_person_left_alone_does_not_undo_what_others_wrote() {
        let mut ward = Ward::new();
        ward.run("editRow", json!({ "table": "patients", "id": ANNA, "values": { "phone": "123" } })).unwrap();
        let form = json!({ "phone": null, "email": "a@example.org" });
        let seen = json!({ "phone": null, "email": null });
        ward.run("editRow", json!({ "table": "patients", "id": ANNA, "values": form, "seen": seen })).unwrap();
        assert_eq!(ward.text("patients", ANNA, "phone"), "123");
        assert_eq!(ward.text("patients", ANNA, "email"), "a@example.org");
    }

    #[test]
    fn text_is_written_against_what_the_person_saw() {
        let command = json!({ "table": "patients", "id": ANNA, "values": { "allergies": "nuts, milk" },
                              "seen": { "allergies": "nuts" } });
        let seen = Some(Value::from("nuts"));
        assert_eq!(edits(command), [ColumnEditKind::Set { value: "nuts, milk".into(), seen }]);
    }

    #[test]
    fn a_counter_changes_by_a_difference() {
        let added = json!({ "table": "supplies", "id": GLOVES, "values": {}, "add": { "current_stock": -3 } });
        let typed = json!({ "table": "supplies", "id": GLOVES, "values": { "current_stock": 7 } });
        for command in [added, typed] {
            assert_eq!(edits(command), [ColumnEditKind::Add(-3)]);
        }
    }

    #[test]
    fn a_patient_cannot_be_written_into_a_second_bed() {
        let mut ward = Ward::with_anna_in_bed_1();
        let error = ward.refusal("editRow", json!({ "table": "beds", "id": BED_2, "values": { "patient_id": ANNA } }));
        assert_eq!(error.to_string(), "Another bed has this patient already. Free it there first.");
    }

    #[test]
    fn what_never_changes_is_refused() {
        let mut ward = Ward::new();
        for (column, value) in [("id", json!(BERT)), ("created_at", json!("2020-01-01T00:00:00Z"))] {
            let command = json!({ "table": "patients", "id": ANNA, "values": { column: value } });
            let error = ward.refusal("editRow", command);
            assert_eq!((error.code(), error.field()), ("not_allowed", Some(column)));
        }
    }
}
