//! What is done in two places at once adds up.

use serde_json::json;

use crate::ward::{ANNA, BERT, GLOVES, cell, edit, hospital, settle, two_nurses};

#[test]
fn different_columns_of_one_patient_both_survive() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nils.run("editRow", edit("patients", ANNA, json!({ "email": "a@b.test" })))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    for device in [&mut nora, &mut nils] {
        assert_eq!(cell(device, "patients", ANNA, "phone"), "111");
        assert_eq!(cell(device, "patients", ANNA, "email"), "a@b.test");
        assert_eq!(device.replica.conflicts().unwrap(), []);
    }
}

#[test]
fn stock_taken_on_both_devices_is_the_sum() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    nils.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 4 }))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "supplies", GLOVES, "current_stock"), 3);
    assert_eq!(server.store.count("inventory_transactions").unwrap(), 2);
}

#[test]
fn two_unique_values_swapped_through_a_third_arrive_as_one_step() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    for (patient, number) in [(ANNA, "P-9"), (BERT, "P-1"), (ANNA, "P-2")] {
        nora.run(
            "editRow",
            edit("patients", patient, json!({ "patient_number": number })),
        )
        .unwrap();
    }
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "patients", ANNA, "patient_number"), "P-2");
    assert_eq!(cell(&mut nils, "patients", BERT, "patient_number"), "P-1");
}

#[test]
fn words_added_to_one_text_by_two_people_are_all_kept() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let start = edit("patients", ANNA, json!({ "medical_history": "Asthma." }));
    nora.run("editRow", start).unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    nora.run(
        "editRow",
        edit("patients", ANNA, json!({ "medical_history": "Asthma. Smoker." })),
    )
    .unwrap();
    nils.run(
        "editRow",
        edit("patients", ANNA, json!({ "medical_history": "Mild. Asthma." })),
    )
    .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(
        cell(&mut nora, "patients", ANNA, "medical_history"),
        "Mild. Asthma. Smoker."
    );
}
