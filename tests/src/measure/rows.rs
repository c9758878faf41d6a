//! The rows that are measured with: patients, their treatments, their places in the queue, and beds, a quarter each.

use holdfast_core::{ids::RowId, row::RowWrite};
use serde_json::{Value as Json, json};

use crate::{
    hospital::{ADA, ROOM, SURGERY},
    writes,
};

/// The tables that they are in, in an order in which references lead back.
pub const TABLES: [&str; 4] = ["patients", "treatment_records", "patient_queue", "beds"];

const CREATED: &str = "2026-01-31T12:00:00Z";

/// A row that was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// Its table.
    pub table: &'static str,
    /// Its id.
    pub row: RowId,
}

/// Makes rows without end. Every fourth is a patient; the three after it belong to that patient.
#[derive(Debug)]
pub struct Rows {
    next: usize,
    step: usize,
    patient: RowId,
}

impl Rows {
    /// Maker number `part` of `parts`: each gives its patients other numbers.
    pub fn new(part: usize, parts: usize) -> Self {
        Self {
            next: part * TABLES.len(),
            step: parts,
            patient: new_id(),
        }
    }
}

impl Iterator for Rows {
    type Item = (Made, RowWrite);

    fn next(&mut self) -> Option<Self::Item> {
        let (number, place) = (self.next / TABLES.len(), self.next % TABLES.len());
        if place == 0 {
            self.patient = new_id();
        }
        self.next += 1;
        if self.next.is_multiple_of(TABLES.len()) {
            self.next += (self.step - 1) * TABLES.len();
        }
        Some(row(TABLES[place], number, self.patient))
    }
}

/// A new row of a table. A patient gets the id that is given, any other row belongs to that patient.
pub fn row(table: &'static str, number: usize, patient: RowId) -> (Made, RowWrite) {
    let row = if table == "patients" { patient } else { new_id() };
    let write = writes::create(table, row, &values(table, number, patient));
    (Made { table, row }, write)
}

impl Made {
    /// An edit of one column of it, the `round`th.
    pub fn edit(self, round: usize) -> RowWrite {
        writes::edit(self.table, self.row, &edited(self.table, round))
    }
}

/// What a new row holds besides its id. `number` tells rows apart.
pub fn values(table: &str, number: usize, patient: RowId) -> Json {
    let patient = patient.to_string();
    let mut values = match table {
        "patients" => return self::patient(number),
        "treatment_records" => json!({
            "patient_id": patient, "doctor_id": ADA.to_string(), "treatment_type": "medication",
            "treatment_name": "Ibuprofen", "description": "After the operation, for pain and fever",
            "dosage": "400 mg", "frequency": "twice_daily", "duration": "7_days", "start_date": CREATED,
            "status": "active", "notes": "With food; not with other anti-inflammatory drugs."
        }),
        "patient_queue" => json!({
            "patient_id": patient, "department_id": SURGERY.to_string(), "queue_position": number % 1_000,
            "bed_type_required": "General", "priority_level": "normal", "admission_type": "scheduled",
            "queue_entry_time": CREATED, "estimated_wait_time": 45, "medical_condition": "Hernia", "status": "waiting"
        }),
        "beds" => json!({
            "bed_number": format!("B{number}"), "room_id": ROOM.to_string(), "bed_type": "standard",
            "status": "available", "notes": "By the window."
        }),
        other => unreachable!("BUG: no rows of {other} are made"),
    };
    values["created_at"] = CREATED.into();
    values
}

/// A patient with the columns that a reception fills in.
pub fn patient(number: usize) -> Json {
    json!({
        "patient_number": format!("B-{number:07}"), "first_name": "Annegret", "last_name": format!("Klein-{number}"),
        "date_of_birth": "1961-07-14", "gender": "female", "phone": "+49 30 1234567",
        "email": format!("p{number}@example.org"), "address": "Lange Straße 12, 10243 Berlin",
        "emergency_contact_name": "Bert Klein", "emergency_contact_phone": "+49 30 7654321", "blood_type": "A+",
        "allergies": "penicillin", "medical_history": "Appendectomy 1999; hypertension since 2015.",
        "created_at": CREATED
    })
}

/// One column's new value.
pub fn edited(table: &str, round: usize) -> Json {
    match table {
        "patients" => json!({ "phone": format!("+49 30 {round:07}") }),
        "treatment_records" => json!({ "description": format!("After the operation, visit {round}") }),
        "patient_queue" => json!({ "estimated_wait_time": 46 + round % 600 }),
        "beds" => json!({ "admission_date": format!("2026-02-{:02}T{:02}:00:00Z", 1 + round % 28, round % 24) }),
        other => unreachable!("BUG: no rows of {other} are made"),
    }
}

/// An id for a new row.
pub fn new_id() -> RowId {
    RowId(holdfast_server::store::random::new_id())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn makers_share_the_numbers_and_take_the_tables_in_turn() {
        let mut numbers = BTreeSet::new();
        for part in 0..3 {
            let mut rows = Rows::new(part, 3);
            for place in 0..40 {
                let (made, write) = rows.next().unwrap();
                assert_eq!(made.table, TABLES[place % 4]);
                if made.table == "patients" {
                    assert!(numbers.insert(format!("{:?}", write.action)), "two patients are alike");
                }
            }
        }
        assert_eq!(numbers.len(), 30);
    }
}
