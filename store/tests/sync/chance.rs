//! What comes to people's minds.

use holdfast_core::ids::RowId;
use holdfast_store::testing::Device;
use serde_json::{Value as Json, json};

use crate::ward::{ANNA, BED_1, BED_2, BERT, CLEO, GLOVES, SURGERY, edit};

const PATIENTS: [RowId; 3] = [ANNA, BERT, CLEO];
const BEDS: [RowId; 2] = [BED_1, BED_2];

/// Throws with the generator of Numerical Recipes, which is good enough for choices.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// A command that somebody may give.
pub fn command(dice: &mut Dice) -> (&'static str, Json) {
    let (patient, bed) = (dice.of(&PATIENTS), dice.of(&BEDS));
    let word = dice.of(&["1", "2", "3"]);
    match dice.below(13) {
        0 => ("editRow", edit("patients", patient, json!({ "phone": word }))),
        1 => (
            "editRow",
            edit(
                "patients",
                patient,
                json!({ "medical_history": format!("Since {word} years.") }),
            ),
        ),
        2 => (
            "editRow",
            edit("patients", patient, json!({ "patient_number": format!("P-{word}") })),
        ),
        3 => ("admitPatient", json!({ "patientId": patient, "bedId": bed })),
        4 => ("dischargePatient", json!({ "patientId": patient })),
        5 => ("takeStock", json!({ "supplyId": GLOVES, "quantity": 1 })),
        6 => ("refillStock", json!({ "supplyId": GLOVES, "quantity": 2 })),
        7 => ("queuePatient", json!({ "patientId": patient, "departmentId": SURGERY })),
        8 => ("deleteRow", json!({ "table": "patients", "id": patient })),
        9 => ("transferPatient", json!({ "patientId": patient, "bedId": bed })),
        10 => (
            "editRow",
            edit("beds", bed, json!({ "status": dice.of(&["available", "maintenance"]) })),
        ),
        11 => (
            "editRow",
            edit(
                "beds",
                bed,
                json!({ "patient_id": patient, "notes": format!("Note {word}.") }),
            ),
        ),
        _ => {
            let values = json!({ "patient_number": format!("P-{word}"), "first_name": "New", "last_name": word,
                                 "date_of_birth": "1990-01-01" });
            ("createRow", json!({ "table": "patients", "values": values }))
        }
    }
}

/// Somebody settles a conflict, if there is one.
pub fn settle_one(device: &mut Device, dice: &mut Dice) {
    let conflicts = device.replica.conflicts().unwrap();
    if conflicts.is_empty() {
        return;
    }
    let conflict = &conflicts[dice.below(conflicts.len())];
    let value = match conflict.kind.as_str() {
        "deleted" => json!(dice.below(2) == 0),
        "negative" => json!(5),
        _ => conflict.sides[dice.below(conflict.sides.len())].value.clone(),
    };
    let _refused = device.run("settleConflict", json!({ "conflictId": conflict.id, "value": value }));
}
