//! The hospital link is down, and the ward goes on.

use holdfast_core::policy::Role;
use holdfast_store::{
    hub::RelayPlace,
    testing::{Device, TestServer},
};
use serde_json::json;

use crate::{
    ward::{ANNA, BED_1, BED_2, BERT, CLEO, GLOVES, SURGERY, cell, edit, id},
    world::{in_log, relayed, same, settle, ward},
};

#[test]
fn a_ward_goes_on_through_an_outage() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    let made = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    nils.sync(&mut hub).unwrap();
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "1", "the ward sees it");
    nils.run("editRow", edit("patients", ANNA, json!({ "phone": "2" })))
        .unwrap();
    nils.sync(&mut hub).unwrap();
    nora.sync(&mut hub).unwrap();
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), "2");
    assert_eq!(hub.store.relay_count().unwrap().transactions, 2);
    assert_eq!(in_log(&centre, made.transaction_id), 0);

    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils], &mut []);
    assert_eq!(in_log(&centre, made.transaction_id), 1);
    assert_eq!(
        centre.log().unwrap(),
        hub.log().unwrap(),
        "the hub's stream is the hospital's"
    );
}

#[test]
fn the_stream_the_snapshot_and_the_checksum_know_nothing_of_what_is_relayed() {
    let (mut centre, mut hub, mut nora, _) = ward();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.run("admitPatient", json!({ "patientId": BERT, "bedId": BED_1 }))
        .unwrap();
    // A row that only the hub has.
    nora.run("queuePatient", json!({ "patientId": CLEO, "departmentId": SURGERY }))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    assert_eq!(hub.store.relay_count().unwrap().transactions, 3);
    let all = |server: &mut TestServer| server.store.snapshot(None, 10_000, Role::Admin).unwrap().unwrap();
    let (there, here) = (all(&mut centre), all(&mut hub));
    assert_eq!(here.documents.len() as u64, here.total);
    assert_eq!(here.documents, there.documents);
    assert_eq!((here.as_of, here.mark), (there.as_of, there.mark));
    let of = |server: &TestServer| server.store.pull(here.as_of, 10, 1 << 20).unwrap();
    assert!(of(&hub).entries.is_empty());
    assert_eq!(of(&hub).checksums.unwrap(), of(&centre).checksums.unwrap());
}

#[test]
fn a_new_device_copies_the_hospital_at_the_hub_and_sees_what_is_relayed() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    let mut fresh = Device::empty(&centre, 30).unwrap();
    fresh.sign_in(&mut centre, "nils").unwrap();
    hub.exchange(&mut centre).unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    fresh.sync(&mut hub).unwrap();
    assert_eq!(cell(&mut fresh, "patients", ANNA, "phone"), "1");
    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils, &mut fresh], &mut []);
}

#[test]
fn a_device_that_roams_doubles_nothing() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    let first = nora
        .run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    // The same work, at the hospital this time: it is sent again.
    nora.sync(&mut centre).unwrap();
    let second = nora
        .run("editRow", edit("patients", CLEO, json!({ "phone": "3" })))
        .unwrap();
    nora.sync(&mut centre).unwrap();
    // Back in the ward, whose hub knows less than the device.
    nora.sync(&mut hub).unwrap();
    nora.sync(&mut hub).unwrap();
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
    for made in [first, second] {
        assert_eq!(in_log(&centre, made.transaction_id), 1);
    }
}

#[test]
fn two_people_in_one_bed_at_hub_and_hospital_are_a_conflict_that_reaches_the_ward() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    // Nora is in the ward, Nils elsewhere; the hospital's order decides, and Nils comes first there.
    nora.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 }))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    nils.run("admitPatient", json!({ "patientId": BERT, "bedId": BED_1 }))
        .unwrap();
    nils.sync(&mut centre).unwrap();
    assert_eq!(cell(&mut nora, "beds", BED_1, "patient_id"), ANNA.to_string());
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
    for device in [&mut nora, &mut nils] {
        assert_eq!(cell(device, "beds", BED_1, "patient_id"), BERT.to_string());
        let conflicts = device.replica.conflicts().unwrap();
        let claim = conflicts.iter().find(|c| c.kind == "claim").unwrap();
        assert!(claim.task.contains("find a bed for the other"), "{}", claim.task);
    }
    nora.run("admitPatient", json!({ "patientId": CLEO, "bedId": BED_2 }))
        .unwrap();
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
    assert_eq!(cell(&mut nils, "beds", BED_2, "patient_id"), CLEO.to_string());
}

#[test]
fn events_come_in_pages_and_a_place_of_another_list_begins_anew() {
    let (_, mut hub, mut nora, _) = ward();
    for n in 0..5 {
        nora.run("editRow", edit("patients", ANNA, json!({ "phone": n.to_string() })))
            .unwrap();
    }
    nora.sync(&mut hub).unwrap();
    let (mut at, mut pages, mut ids) = (None, 0, Vec::new());
    loop {
        let page = hub.store.relayed(at, Role::Nurse, 2, 1 << 20).unwrap();
        ids.extend(page.events.iter().map(|event| event.id));
        at = Some(RelayPlace {
            list: page.list,
            place: page.place,
        });
        pages += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!((ids.len(), pages), (5, 3));
    let nothing = hub.store.relayed(at, Role::Nurse, 2, 1 << 20).unwrap();
    assert_eq!((nothing.events.len(), nothing.after), (0, at.unwrap().place));
    let hub = hub.restart(77).unwrap();
    let anew = hub.store.relayed(at, Role::Nurse, 100, 1 << 20).unwrap();
    assert_eq!(
        (anew.after, anew.events.len()),
        (0, 5),
        "a restarted hub has a new list"
    );
    assert_ne!(anew.list, at.unwrap().list);
}

#[test]
fn restricted_changes_are_withheld_from_who_may_not_see_them() {
    let (mut centre, mut hub, _, _) = ward();
    let mut mira = Device::new(&mut centre, 40, "mira").unwrap();
    hub.exchange(&mut centre).unwrap();
    mira.run("editRow", edit("staff", id(0x71), json!({ "salary": "5000.00" })))
        .unwrap();
    mira.sync(&mut hub).unwrap();
    let of = |role| {
        hub.store
            .relayed(None, role, 10, 1 << 20)
            .unwrap()
            .events
            .remove(0)
            .transaction
            .unwrap()
    };
    let count = |role| of(role).changes.iter().flatten().count();
    assert!(
        count(Role::Nurse) < count(Role::Manager),
        "{} {}",
        count(Role::Nurse),
        count(Role::Manager)
    );
}

#[test]
fn a_device_ahead_of_the_hub_gets_an_empty_page_and_what_is_relayed() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nils.run("editRow", edit("patients", BERT, json!({ "phone": "9" })))
        .unwrap();
    nils.sync(&mut centre).unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    nils.sync(&mut hub).unwrap();
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "1");
    assert_eq!(
        cell(&mut nils, "patients", BERT, "phone"),
        "9",
        "what the hub lacks is not lost"
    );
    assert_eq!(relayed(&hub).len(), 1);
    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils], &mut []);
    same(&hub.state().unwrap(), &centre.state().unwrap(), "the hub");
}

#[test]
fn what_builds_on_relayed_work_is_acknowledged_when_the_stream_brings_it() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    nils.sync(&mut hub).unwrap();
    // Built on what only the hub has told of.
    nils.run("editRow", edit("patients", ANNA, json!({ "phone": "2" })))
        .unwrap();
    nils.sync(&mut hub).unwrap();
    hub.exchange(&mut centre).unwrap();
    // Nils asks at the hospital before the stream has brought him either.
    nils.run("editRow", edit("patients", ANNA, json!({ "email": "a@home.test" })))
        .unwrap();
    centre.clock.pass(25 * 60);
    for _ in 0..3 {
        nils.sync(&mut centre).unwrap();
        assert_eq!(nils.replica.status().unwrap().differences, 0);
    }
    assert_eq!(nils.replica.outbox().unwrap(), []);
    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils], &mut []);
}

#[test]
fn what_builds_on_own_work_at_the_hub_is_acknowledged_when_the_stream_brings_it() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    hub.exchange(&mut centre).unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "2" })))
        .unwrap();
    // The hospital hears of the second before Nora has heard of the first's place.
    for _ in 0..3 {
        nora.sync(&mut centre).unwrap();
        assert_eq!(nora.replica.status().unwrap().differences, 0);
    }
    assert_eq!(nora.replica.outbox().unwrap(), []);
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
}

#[test]
fn a_copy_that_begins_at_the_hospital_and_goes_on_at_a_hub_that_is_behind_begins_anew() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    let mut fresh = Device::empty(&centre, 30).unwrap();
    fresh.sign_in(&mut centre, "nils").unwrap();
    hub.exchange(&mut centre).unwrap();
    // The supplies, which come on a late page, are others at the hospital only.
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    nora.sync(&mut centre).unwrap();
    centre.snapshot_page = 3;
    let request = fresh.replica.next_request().unwrap().unwrap();
    let response = fresh.send(&mut centre, &request).unwrap();
    fresh.replica.take_response(&request.kind, &response).unwrap();
    fresh.sync(&mut hub).unwrap();
    assert!(fresh.is_copied().unwrap());
    fresh.sync(&mut centre).unwrap();
    assert_eq!(fresh.replica.status().unwrap().differences, 0);
    assert_eq!(cell(&mut fresh, "supplies", GLOVES, "current_stock"), 7);
    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils, &mut fresh], &mut []);
}
