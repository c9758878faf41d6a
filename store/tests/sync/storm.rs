//! Three devices do what comes to their minds, answers get lost, stores are closed in between, roles change. In the end all
//! tables are equal.

use holdfast_core::ids::RowId;
use holdfast_store::testing::{Device, TestServer};
use serde_json::{Value as Json, json};

use crate::ward::{ANNA, BED_1, BED_2, BERT, CLEO, GLOVES, SURGERY, edit, hospital, id, settle};

const PATIENTS: [RowId; 3] = [ANNA, BERT, CLEO];
const BEDS: [RowId; 2] = [BED_1, BED_2];

/// Throws with the generator of Numerical Recipes, which is good enough for choices.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

fn command(dice: &mut Dice) -> (&'static str, Json) {
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

/// One request, whose answer may get lost or come twice.
fn exchange(device: &mut Device, server: &mut TestServer, dice: &mut Dice) {
    device.replica.wake();
    let Some(request) = device.replica.next_request().unwrap() else {
        return;
    };
    let response = device.send(server, &request).unwrap();
    for _ in 0..dice.below(3) {
        device.replica.take_response(&request.kind, &response).unwrap();
    }
}

fn settle_one(device: &mut Device, dice: &mut Dice) {
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

fn storm(seed: u64) {
    let mut dice = Dice(seed);
    let mut server = hospital();
    server.pull_page = 3;
    server.snapshot_page = 5;
    let mut mira = Device::new(&mut server, 99, "mira").unwrap();
    let mut devices: Vec<Device> = [(10, "nora"), (20, "nils"), (30, "nora")]
        .into_iter()
        .map(|(n, name)| Device::new(&mut server, n, name).unwrap())
        .collect();
    for step in 0..80 {
        let at = dice.below(devices.len());
        match dice.below(20) {
            0..10 => {
                let (kind, command) = command(&mut dice);
                let _refused = devices[at].run(kind, command);
            }
            10..16 => exchange(&mut devices[at], &mut server, &mut dice),
            16 => settle_one(&mut devices[at], &mut dice),
            17 => {
                let device = devices.remove(at);
                devices.push(device.reopen(&server, 1_000 + step).unwrap());
            }
            18 => {
                let role = dice.of(&["nurse", "cleaner"]);
                let _same = mira.run("editRow", edit("users", id(0x11), json!({ "role": role })));
                mira.sync(&mut server).unwrap();
            }
            _ => drop(devices[at].sync(&mut server).unwrap()),
        }
        devices[at.min(devices.len() - 1)].dump().unwrap();
    }
    let mut all: Vec<&mut Device> = devices.iter_mut().collect();
    settle(&mut server, &mut all);
    let mut late = Device::new(&mut server, 77, "nils").unwrap();
    settle(&mut server, &mut [&mut late]);
    let open = |device: &Device| {
        let mut ids: Vec<String> = device.replica.conflicts().unwrap().into_iter().map(|c| c.id).collect();
        ids.sort();
        ids
    };
    for device in &devices {
        assert_eq!(open(device), open(&late));
    }
}

#[test]
fn after_any_storm_all_tables_and_conflicts_are_equal() {
    for seed in 0..40 {
        println!("seed {seed}");
        storm(seed);
    }
}
