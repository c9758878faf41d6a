//! What people have to settle.

use serde_json::json;

use crate::ward::{ANNA, BED_1, BED_2, BERT, CLEO, SURGERY, cell, edit, hospital, id, settle, two_nurses};

#[test]
fn different_values_of_one_column_are_both_seen_everywhere() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("editRow", edit("patients", ANNA, json!({ "blood_type": "A+" })))
        .unwrap();
    nils.run("editRow", edit("patients", ANNA, json!({ "blood_type": "0-" })))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    let of_nora = nora.replica.conflicts().unwrap();
    assert_eq!(of_nora.len(), 1);
    assert_eq!(
        (of_nora[0].kind.as_str(), of_nora[0].column.as_deref()),
        ("concurrent", Some("blood_type"))
    );
    let mut sides: Vec<_> = of_nora[0]
        .sides
        .iter()
        .map(|s| (s.value.as_str(), s.user_name.as_deref()))
        .collect();
    sides.sort();
    assert_eq!(
        sides,
        [(Some("0-"), Some("nils Berg")), (Some("A+"), Some("nora Berg"))]
    );
    assert_eq!(nils.replica.conflicts().unwrap()[0].sides, of_nora[0].sides);

    nils.run("settleConflict", json!({ "conflictId": of_nora[0].id, "value": "A+" }))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(nora.replica.conflicts().unwrap(), []);
    assert_eq!(cell(&mut nils, "patients", ANNA, "blood_type"), "A+");
}

#[test]
fn a_bed_given_to_two_patients_goes_to_the_first_in_stream_order() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 }))
        .unwrap();
    nils.run("admitPatient", json!({ "patientId": BERT, "bedId": BED_1 }))
        .unwrap();
    nils.sync(&mut server).unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    for device in [&mut nora, &mut nils] {
        assert_eq!(cell(device, "beds", BED_1, "patient_id"), BERT.to_string());
        let conflicts = device.replica.conflicts().unwrap();
        let claim = conflicts.iter().find(|c| c.kind == "claim").unwrap();
        assert!(claim.task.contains("find a bed for the other"), "{}", claim.task);
        assert_eq!(claim.sides.len(), 2);
    }
}

#[test]
fn a_patient_put_into_two_beds_lies_in_the_first_in_stream_order() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 }))
        .unwrap();
    nils.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_2 }))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "beds", BED_1, "patient_id"), ANNA.to_string());
    assert_eq!(cell(&mut nils, "beds", BED_2, "patient_id"), serde_json::Value::Null);
    assert!(
        nils.replica
            .conflicts()
            .unwrap()
            .iter()
            .any(|c| c.row == BED_2.to_string())
    );
}

#[test]
fn a_row_deleted_by_one_and_used_by_another_stays_and_is_a_conflict() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("deleteRow", json!({ "table": "patients", "id": CLEO }))
        .unwrap();
    nils.run("editRow", edit("patients", CLEO, json!({ "phone": "333" })))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "patients", CLEO, "phone"), "333");
    let kinds: Vec<_> = nora.replica.conflicts().unwrap().into_iter().map(|c| c.kind).collect();
    assert_eq!(kinds, ["deleted"]);
    for (value, rows) in [(true, 3), (false, 2)] {
        let conflict = nora.replica.conflicts().unwrap().pop().unwrap();
        nora.run("settleConflict", json!({ "conflictId": conflict.id, "value": value }))
            .unwrap();
        settle(&mut server, &mut [&mut nora, &mut nils]);
        assert_eq!(nils.replica.conflicts().unwrap(), []);
        assert_eq!(server.store.count("patients").unwrap(), rows);
        if value {
            nora.run("deleteRow", json!({ "table": "patients", "id": CLEO }))
                .unwrap();
            nils.run("editRow", edit("patients", CLEO, json!({ "phone": "444" })))
                .unwrap();
            settle(&mut server, &mut [&mut nora, &mut nils]);
        }
    }
}

#[test]
fn a_deleted_row_is_gone_from_the_tables_everywhere() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("deleteRow", json!({ "table": "patients", "id": CLEO }))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(server.store.count("patients").unwrap(), 2);
}

#[test]
fn two_new_patients_with_one_number_both_stay_and_one_gets_a_mark() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    for (device, row, name) in [(&mut nora, id(0x91), "Dora"), (&mut nils, id(0x92), "Emil")] {
        let values =
            json!({ "patient_number": "P-7", "first_name": name, "last_name": "Lund", "date_of_birth": "1990-01-01" });
        device
            .run("createRow", json!({ "table": "patients", "id": row, "values": values }))
            .unwrap();
    }
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "patients", id(0x91), "patient_number"), "P-7");
    let marked = cell(&mut nils, "patients", id(0x92), "patient_number");
    assert_ne!(marked, "P-7");
    assert_eq!(nora.replica.conflicts().unwrap().len(), 1, "{marked}");
}

#[test]
fn a_row_used_where_it_was_deleted_meanwhile_comes_back() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("deleteRow", json!({ "table": "patients", "id": CLEO }))
        .unwrap();
    nora.sync(&mut server).unwrap();
    nils.run("queuePatient", json!({ "patientId": CLEO, "departmentId": SURGERY }))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(server.store.count("patients").unwrap(), 3);
}
