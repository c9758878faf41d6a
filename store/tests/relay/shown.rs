//! What others did in the ward is seen there before the hospital knows it.

use serde_json::json;

use crate::{
    hub::Hub,
    ward::{ANNA, BED_1, BERT, GLOVES, cell, edit, hospital, id, settle, two_nurses},
};

#[test]
fn what_a_hub_relays_is_shown_and_then_confirmed_by_the_stream() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    nora.run("editRow", edit("beds", BED_1, json!({ "status": "cleaning" })))
        .unwrap();
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "cleaning");
    assert_eq!(nils.replica.status().unwrap().hub.unwrap().relayed, 2);
    assert_eq!(nils.replica.outbox().unwrap(), [], "it is not his");

    hub.pass_on();
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(nils.replica.status().unwrap().hub.unwrap().relayed, 0);
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(nils.state().unwrap(), hub.server.state().unwrap().unrestricted());
}

#[test]
fn what_two_did_to_one_row_at_the_same_time_is_shown_in_the_whole_ward() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut third = holdfast_store::testing::Device::new(&mut server, 30, "nils").unwrap();
    let mut hub = Hub::new(server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nils.run("editRow", edit("patients", ANNA, json!({ "address": "Quay 1" })))
        .unwrap();
    hub.settle(&mut [&mut nora, &mut nils, &mut third]);
    hub.settle(&mut [&mut nora, &mut nils]);
    for device in [&mut nora, &mut nils, &mut third] {
        assert_eq!(cell(device, "patients", ANNA, "phone"), "1");
        assert_eq!(cell(device, "patients", ANNA, "address"), "Quay 1");
    }
    // Somebody goes on from there.
    third
        .run("editRow", edit("patients", ANNA, json!({ "phone": "2" })))
        .unwrap();
    hub.settle(&mut [&mut third, &mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), "2");
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils, &mut third]);
}

#[test]
fn what_the_hospital_does_meanwhile_lies_under_what_is_relayed() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut mira = holdfast_store::testing::Device::new(&mut server, 30, "mira").unwrap();
    let mut hub = Hub::new(server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    hub.settle(&mut [&mut nora, &mut nils]);
    mira.run("editRow", edit("patients", ANNA, json!({ "address": "Quay 1" })))
        .unwrap();
    mira.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 1 }))
        .unwrap();
    mira.sync(&mut hub.server).unwrap();
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 6);
    assert_eq!(cell(&mut nils, "patients", ANNA, "address"), "Quay 1");
    // The one who does not know of the ward's work has the same as the base.
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
}

#[test]
fn one_bed_given_twice_is_a_conflict_in_the_ward_already() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    for (nurse, patient) in [(&mut nora, ANNA), (&mut nils, BERT)] {
        nurse
            .run("admitPatient", json!({ "patientId": patient, "bedId": BED_1 }))
            .unwrap();
    }
    hub.settle(&mut [&mut nora, &mut nils]);
    hub.settle(&mut [&mut nora]);
    assert_eq!(
        cell(&mut nora, "beds", BED_1, "patient_id"),
        cell(&mut nils, "beds", BED_1, "patient_id")
    );
    assert!(!nora.replica.conflicts().unwrap().is_empty());
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(nora.state().unwrap(), nils.state().unwrap());
}

#[test]
fn of_a_managers_work_a_nurse_is_shown_what_she_may_see() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut mira = holdfast_store::testing::Device::new(&mut server, 30, "mira").unwrap();
    let mut hub = Hub::new(server);
    mira.run(
        "editRow",
        edit("staff", id(0x71), json!({ "position": "head", "salary": "4300.00" })),
    )
    .unwrap();
    hub.settle(&mut [&mut mira]);
    for event in &mut hub.events {
        let transaction = event.transaction.take().unwrap();
        let body = transaction.body().unwrap();
        let nurse = holdfast_core::policy::Role::Nurse;
        event.transaction = Some(transaction.withhold(&body, |id| nurse.may_see(id)));
    }
    hub.settle(&mut [&mut nora]);
    assert_eq!(cell(&mut nora, "staff", id(0x71), "position"), "head");
    assert_eq!(cell(&mut nora, "staff", id(0x71), "salary"), serde_json::Value::Null);
    mira.sync(&mut hub.server).unwrap();
    hub.restart();
    hub.events.clear();
    settle(&mut hub.server, &mut [&mut nora, &mut nils, &mut mira]);
}
