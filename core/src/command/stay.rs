//! What belongs to a patient's stay in a bed and ends, or moves, with it: staff in charge and equipment in use.

use crate::{
    command::{CommandError, draft::Draft, equipment, record::Record, turnover::Released},
    ids::RowId,
    value::Value,
};

/// Open rows of a stay.
pub(super) struct Stay {
    staff: Vec<Record>,
    bed_staff: Vec<Record>,
    usages: Vec<Record>,
    bed_equipment: Vec<Record>,
}

impl Stay {
    /// What is open for this patient, wherever it is.
    pub fn of_patient(draft: &Draft, patient: RowId) -> Result<Self, CommandError> {
        let open = |table, end| draft.find(table, &[("patient_id", patient.into()), (end, Value::Null)]);
        let usages = open("equipment_usage", "end_time")?
            .into_iter()
            .filter(equipment::is_in_use);
        Ok(Self {
            staff: open("staff_assignments", "end_date")?,
            bed_staff: open("bed_staff_assignments", "released_at")?,
            usages: usages.collect(),
            bed_equipment: open("bed_equipment_assignments", "released_at")?,
        })
    }

    /// The same, and what is open for the bed without naming a patient.
    pub fn of_patient_and_bed(draft: &Draft, patient: RowId, bed: RowId) -> Result<Self, CommandError> {
        let filter = [
            ("bed_id", bed.into()),
            ("patient_id", Value::Null),
            ("released_at", Value::Null),
        ];
        let mut stay = Self::of_patient(draft, patient)?;
        stay.bed_staff.extend(draft.find("bed_staff_assignments", &filter)?);
        stay.bed_equipment
            .extend(draft.find("bed_equipment_assignments", &filter)?);
        Ok(stay)
    }

    /// Ends all of it; the equipment is available again.
    pub fn end(&self, draft: &mut Draft) -> Result<Released, CommandError> {
        let now = draft.now();
        for assignment in &self.staff {
            draft.edit(assignment, vec![("end_date", now.into())])?;
        }
        for assignment in &self.bed_staff {
            draft.edit(
                assignment,
                vec![("status", "completed".into()), ("released_at", now.into())],
            )?;
        }
        for assignment in &self.bed_equipment {
            draft.edit(
                assignment,
                vec![("status", "released".into()), ("released_at", now.into())],
            )?;
        }
        for usage in &self.usages {
            equipment::end_usage(draft, usage)?;
        }
        let mut released = Released {
            staff: !self.staff.is_empty() || !self.bed_staff.is_empty(),
            ..Released::default()
        };
        for row in self.usages.iter().chain(&self.bed_equipment) {
            let Some(piece) = draft.referenced(row, "equipment_id")? else {
                continue;
            };
            if released.equipment.iter().all(|e| e.id() != piece.id()) {
                equipment::make_available(draft, &piece)?;
                released.equipment.push(piece);
            }
        }
        Ok(released)
    }

    /// Takes all of it to another bed.
    pub fn move_to(&self, draft: &mut Draft, bed: RowId) -> Result<(), CommandError> {
        let now = draft.now();
        for row in self.staff.iter().chain(&self.usages) {
            draft.edit(row, vec![("bed_id", bed.into())])?;
        }
        for assignment in &self.bed_staff {
            draft.edit(
                assignment,
                vec![("status", "transferred".into()), ("released_at", now.into())],
            )?;
            let kept = ["staff_id", "patient_id", "assignment_type", "shift_type"];
            let values = vec![
                ("bed_id", bed.into()),
                ("assigned_at", now.into()),
                ("status", "active".into()),
            ];
            draft.create("bed_staff_assignments", copy(assignment, &kept, values))?;
        }
        for assignment in &self.bed_equipment {
            draft.edit(
                assignment,
                vec![("status", "released".into()), ("released_at", now.into())],
            )?;
            let kept = ["equipment_id", "patient_id", "status", "assigned_by_staff_id", "notes"];
            let values = vec![("bed_id", bed.into()), ("assigned_at", now.into())];
            draft.create("bed_equipment_assignments", copy(assignment, &kept, values))?;
        }
        Ok(())
    }
}

fn copy<'v>(record: &Record, columns: &[&'v str], mut values: Vec<(&'v str, Value)>) -> Vec<(&'v str, Value)> {
    values.extend(columns.iter().map(|name| (*name, record.get(name).clone())));
    values
}
