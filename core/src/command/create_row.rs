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
        draft.create_with(table, key.as_deref(), read_values(table, &self.values)?)?;
        Ok(format!("New {}", words::noun(table.name)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use crate::{command::ward::*, ids::RowId, schema::Schema, value::Value};

    #[test]
    fn a_new_row_gets_its_defaults_but_not_what_the_engine_sets() {
        let mut ward = Ward::new();
        let plan = ward.run("createRow", json!({ "table": "beds", "values": { "bed_number": "9", "room_id": ROOM } }));
        let bed = ward.row("beds", plan.unwrap().writes[0].row);
        assert_eq!(bed.text("status"), "available");
        assert_eq!(bed.time("created_at"), Some(ward.now));
        assert!(bed.is_null("updated_at"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut ward = Ward::new();
        for (values, code, field) in [
            (json!({ "bed_number": "9", "room_id": ROOM, "colour": "red" }), "invalid", "colour"),
            (json!({ "bed_number": "9" }), "invalid", "room_id"),
            (json!({ "bed_number": "9", "room_id": ANNA }), "not_found", "room_id"),
            (json!({ "bed_number": "12345678901", "room_id": ROOM }), "invalid", "bed_number"),
            (json!({ "bed_number": "9", "room_id": ROOM, "status": "sideways" }), "invalid", "status"),
            (
                json!({ "bed_number": "9", "room_id": ROOM, "updated_at": "2026-01-01T00:00" }),
                "not_allowed",
                "updated_at",
            ),
        ] {
            let error = ward.refusal("createRow", json!({ "table": "beds", "values": values }));
            assert_eq!((error.code(), error.field()), (code, Some(field)), "{error}");
        }
    }

    #[test]
    fn a_unique_value_that_another_row_has_is_refused() {
        let mut ward = Ward::new();
        let values =
            json!({ "patient_number": "P-1", "first_name": "A", "last_name": "B", "date_of_birth": "2000-01-01" });
        let error = ward.refusal("createRow", json!({ "table": "patients", "values": values }));
        assert_eq!(error.field(), Some("patient_number"));
        assert_eq!(error.to_string(), "Patient number P-1 belongs to another patient. Choose another one.");
    }

    #[test]
    fn a_password_hash_cannot_be_written() {
        let mut ward = Ward::new();
        let values = json!({ "password_hash": "x" });
        let error = ward.refusal("createRow", json!({ "table": "users", "values": values }));
        assert_eq!((error.code(), error.field()), ("not_allowed", Some("password_hash")));
    }

    #[test]
    fn a_composite_key_comes_from_its_columns_or_from_the_id() {
        let meeting = RowId(Uuid::from_u128(0x99));
        let by_values = json!({ "table": "staff_meeting_participants",
                                "values": { "meeting_id": meeting, "staff_id": NURSE_STAFF } });
        let by_id =
            json!({ "table": "staff_meeting_participants", "id": format!("{meeting}/{NURSE_STAFF}"), "values": {} });
        for command in [by_values, by_id] {
            let mut ward = Ward::new();
            let values = json!({ "title": "T", "meeting_time": "2026-02-01T08:00", "organizer_id": NURSE_STAFF });
            ward.given("staff_meetings", meeting, values);
            ward.run("createRow", command.clone()).unwrap();
            let row = ward.only("staff_meeting_participants");
            let table = Schema::hospital().expect("staff_meeting_participants");
            assert_eq!(row.id(), table.row_id(&[meeting.0, NURSE_STAFF.0]));
            assert_eq!(row.get("staff_id"), &Value::Uuid(NURSE_STAFF.0));
            assert_eq!(ward.refusal("createRow", command).code(), "invalid", "the same row twice");
        }
    }
}
