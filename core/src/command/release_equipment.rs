//! A use of equipment ends.

use crate::{
    command::{CommandError, declare, draft::Draft, equipment, record::Record},
    ids::RowId,
    value::Value,
};

declare::command! {
    /// Ends a use of equipment; it is available again.
    pub struct ReleaseEquipment {
        /// The row of `equipment_usage`.
        pub usage_id: RowId,
        /// Added to the notes that are there.
        pub notes: Option<String>,
    }
}

impl ReleaseEquipment {
    pub(super) fn draft(&self, draft: &mut Draft) -> Result<String, CommandError> {
        let usage = draft.named_row("equipment_usage", self.usage_id, "usageId")?;
        if !equipment::is_in_use(&usage) {
            return Err(CommandError::refused("This use has ended already. There is nothing to release."));
        }
        equipment::end_usage(draft, &usage)?;
        if let Some(notes) = &self.notes {
            draft.edit(&usage, vec![("notes", usage.with_line("notes", notes))])?;
        }
        let Some(piece) = draft.referenced(&usage, "equipment_id")? else { return Ok("Release equipment".into()) };
        release_from_bed(draft, &piece, &usage)?;
        let others =
            draft.find("equipment_usage", &[("equipment_id", piece.id().into()), ("end_time", Value::Null)])?;
        if !others.iter().any(|other| other.id() != usage.id() && equipment::is_in_use(other)) {
            equipment::make_available(draft, &piece)?;
        }
        Ok(format!("Release {}", piece.text("name")))
    }
}

fn release_from_bed(draft: &mut Draft, piece: &Record, usage: &Record) -> Result<(), CommandError> {
    let now = draft.now();
    let open = [("equipment_id", piece.id().into()), ("released_at", Value::Null)];
    for assignment in draft.find("bed_equipment_assignments", &open)? {
        if assignment.get("patient_id") == usage.get("patient_id") {
            draft.edit(&assignment, vec![("status", "released".into()), ("released_at", now.into())])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::command::ward::*;

    #[test]
    fn released_equipment_is_available_again() {
        let mut ward = Ward::with_anna_in_bed_1();
        let command = json!({ "equipmentId": MONITOR, "patientId": ANNA, "staffId": NURSE_STAFF });
        ward.run("useEquipment", command.clone()).unwrap();
        ward.wait(90);
        let usage = ward.only("equipment_usage").id();
        ward.run("releaseEquipment", json!({ "usageId": usage, "notes": "battery low" })).unwrap();
        let usage = ward.row("equipment_usage", usage);
        assert_eq!((usage.text("status"), usage.number("duration_minutes")), ("completed", Some(90)));
        assert_eq!(usage.text("notes"), "battery low");
        assert_eq!(ward.text("equipment", MONITOR, "status"), "available");
        assert_eq!(ward.only("bed_equipment_assignments").text("status"), "released");
        assert_eq!(ward.refusal("releaseEquipment", json!({ "usageId": usage.id() })).code(), "refused");
        ward.run("useEquipment", command).unwrap();
    }
}
