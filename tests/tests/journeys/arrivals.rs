//! A device comes to the hospital, or comes back.

use holdfast_tests::{
    device::Device,
    hospital::{BEDS, GLOVES, Hospital, PASSWORD, PATIENTS, ROOM},
};
use serde_json::json;

use crate::{all_sync, assert_equal_everywhere};

crate::on_both_databases! {
    a_new_device_has_every_table_as_the_server_has_it
    a_day_on_the_ward_offline_is_in_every_table_of_every_side
    a_copy_that_was_interrupted_goes_on
    a_device_that_was_away_pulls_what_it_missed
    work_waits_through_a_restart_of_device_and_server
    a_sign_in_with_a_wrong_password_is_refused
}

fn a_new_device_has_every_table_as_the_server_has_it(mut hospital: Hospital) {
    let (ada, nora) = (hospital.device("ada"), hospital.device("nora"));
    assert_equal_everywhere(&hospital, &[&ada, &nora]);
}

fn a_day_on_the_ward_offline_is_in_every_table_of_every_side(mut hospital: Hospital) {
    let (mut ada, mut nora) = (hospital.device("ada"), hospital.device("nora"));
    let (anna, bed) = (PATIENTS[0].to_string(), BEDS[0].to_string());
    nora.run("admitPatient", json!({ "patientId": anna, "bedId": bed }));
    let treatment = json!({ "patientId": anna, "doctorId": holdfast_tests::hospital::ADA.to_string(),
        "treatmentType": "medication", "treatmentName": "Ibuprofen", "dosage": "400 mg" });
    nora.run("recordTreatment", treatment);
    nora.run("takeStock", json!({ "supplyId": GLOVES.to_string(), "quantity": 2 }));
    nora.run(
        "dischargePatient",
        json!({ "patientId": anna, "bedId": bed, "dischargeCondition": "improved",
        "dischargeDestination": "home" }),
    );
    nora.run(
        "createRow",
        json!({ "table": "rooms", "values": { "room_number": "909" } }),
    );
    nora.run(
        "editRow",
        json!({ "table": "rooms", "id": ROOM.to_string(), "values": { "capacity": 4 } }),
    );
    all_sync(&mut [&mut nora, &mut ada]);
    assert_equal_everywhere(&hospital, &[&ada, &nora]);
    let discharged = format!("SELECT count(*) AS n FROM discharge_reports WHERE patient_id = '{anna}'");
    assert_eq!(ada.text(&discharged), "1");
    // Who comes new gets it by snapshot: the same.
    let newcomer = hospital.device("ada");
    assert_equal_everywhere(&hospital, &[&newcomer]);
}

fn a_copy_that_was_interrupted_goes_on(mut hospital: Hospital) {
    let mut ada = hospital.device("ada");
    // More than a page of the snapshot.
    for number in 0..30 {
        let values = json!({ "room_number": format!("9{number:03}") });
        ada.run("createRow", json!({ "table": "rooms", "values": values }));
    }
    ada.sync();
    let file = hospital.new_file();
    let address = hospital.server.address();
    let mut newcomer = Device::on_file(&file, &address);
    newcomer.sign_in("ada", PASSWORD).unwrap_or_else(|e| panic!("{e}"));
    let page = newcomer.next_request().expect("a page of the snapshot is asked for");
    drop(newcomer);
    // The page was lost with the device; meanwhile there is more.
    let mut newcomer = Device::on_file(&file, &address);
    assert_eq!(newcomer.next_request(), None, "nothing is asked before it is woken");
    ada.run(
        "createRow",
        json!({ "table": "rooms", "values": { "room_number": "8000" } }),
    );
    ada.sync();
    newcomer.replica.wake();
    assert_eq!(newcomer.next_request(), Some(page), "it asks for the same page");
    newcomer.sync();
    assert_equal_everywhere(&hospital, &[&newcomer]);
}

fn a_device_that_was_away_pulls_what_it_missed(mut hospital: Hospital) {
    let (mut ada, mut nora) = (hospital.device("ada"), hospital.device("nora"));
    for round in 0..5 {
        for patient in PATIENTS {
            let values = json!({ "phone": round.to_string() });
            ada.run(
                "editRow",
                json!({ "table": "patients", "id": patient.to_string(), "values": values }),
            );
        }
        ada.sync();
    }
    nora.run(
        "editRow",
        json!({ "table": "patients", "id": PATIENTS[2].to_string(), "values": { "email": "c@x" } }),
    );
    all_sync(&mut [&mut nora, &mut ada]);
    assert_equal_everywhere(&hospital, &[&ada, &nora]);
}

fn work_waits_through_a_restart_of_device_and_server(mut hospital: Hospital) {
    let mut nora = hospital.device("nora");
    hospital.server.kill();
    nora.run("takeStock", json!({ "supplyId": GLOVES.to_string(), "quantity": 3 }));
    let problem = nora.try_sync().err();
    assert!(problem.is_some(), "there is no server");
    let (file, address) = (nora.file().to_owned(), hospital.server.address());
    drop(nora);
    let mut nora = Device::on_file(&file, &address);
    let waiting = |device: &Device| device.replica.status().map(|s| s.waiting).unwrap_or_default();
    assert_eq!(waiting(&nora), 1);
    nora.run("takeStock", json!({ "supplyId": GLOVES.to_string(), "quantity": 4 }));
    hospital.server.start();
    nora.sync();
    assert_eq!(waiting(&nora), 0);
    assert_equal_everywhere(&hospital, &[&nora]);
    let left = format!("SELECT current_stock FROM supplies WHERE id = '{GLOVES}'");
    assert_eq!(nora.text(&left), "93");
    hospital.server.stop();
    hospital.server.start();
    nora.sync();
    assert_equal_everywhere(&hospital, &[&nora]);
}

fn a_sign_in_with_a_wrong_password_is_refused(mut hospital: Hospital) {
    let mut device = hospital.new_device();
    for (username, password) in [("nora", "guess"), ("nobody", PASSWORD), ("", ""), ("nora", "")] {
        let refusal = device.sign_in(username, password).err().unwrap_or_default();
        assert!(refusal.contains("not right"), "{username}: {refusal}");
    }
    device.sign_in("nora", PASSWORD).unwrap_or_else(|e| panic!("{e}"));
}
