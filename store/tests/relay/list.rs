//! The hub's list: what comes into it, falls out of it, and what becomes of it when the device goes elsewhere.

use holdfast_core::ids::TransactionId;
use holdfast_store::testing::{CrashPoint, Device};
use serde_json::json;

use crate::{
    hub::Hub,
    ward::{ANNA, BED_1, BED_2, BERT, GLOVES, cell, edit, hospital, settle, two_nurses},
};

const DAY: i64 = 24 * 60;

fn relayed(device: &Device) -> u64 {
    device.replica.status().unwrap().hub.unwrap().relayed
}

fn bed(device: &mut Device, status: &str) -> TransactionId {
    let edit = edit("beds", BED_1, json!({ "status": status }));
    device.run("editRow", edit).unwrap().transaction_id
}

#[test]
fn a_withdrawn_one_goes_with_what_builds_on_it_and_the_rest_stays() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let before = cell(&mut nils, "beds", BED_1, "status");
    let refused = bed(&mut nora, "cleaning");
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    let built_on = bed(&mut nora, "available");
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(relayed(&nils), 3);
    // The hub has told of the first only, yet.
    hub.withdraw(refused);
    hub.settle(&mut [&mut nils]);
    assert_eq!(relayed(&nils), 1);
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), before);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
    assert_eq!(nils.replica.status().unwrap().hub.unwrap().left_out, 1);
    hub.withdraw(built_on);
    hub.settle(&mut [&mut nils]);
    assert_eq!(nils.replica.status().unwrap().hub.unwrap().left_out, 0);
    nils.dump().unwrap();
}

#[test]
fn a_long_list_comes_in_pages_and_goes_on_after_a_crash_at_any_of_them() {
    for point in 0..12 {
        let mut server = hospital();
        let (mut nora, mut nils) = two_nurses(&mut server);
        let mut hub = Hub::new(server);
        hub.page = 2;
        for n in 0..5 {
            let edit = edit("patients", ANNA, json!({ "phone": n.to_string() }));
            nora.run("editRow", edit).unwrap();
        }
        hub.settle(&mut [&mut nora]);
        let (commit, inside) = (
            CrashPoint::BeforeCommit(point / 2 + 1),
            CrashPoint::Inside(point * 3 + 1),
        );
        let crash = nils.crash_at(if point % 2 == 0 { commit } else { inside }).unwrap();
        nils.replica.wake();
        while let Ok(Some(request)) = nils.replica.next_request() {
            let response = hub.answer(&nils, &request);
            if nils.replica.take_response(&request.kind, &response).is_err() {
                break;
            }
        }
        drop(crash);
        let clock = hub.server.clock.clone();
        let mut nils = nils.restart(clock.host(77)).unwrap();
        hub.settle(&mut [&mut nils]);
        assert_eq!(relayed(&nils), 5, "{point}");
        assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "4");
        hub.pass_on();
        settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    }
}

#[test]
fn what_is_not_in_a_new_list_any_more_falls_away_after_its_last_page() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    for quantity in [1, 2, 4] {
        nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": quantity }))
            .unwrap();
    }
    hub.settle(&mut [&mut nora, &mut nils]);
    hub.page = 1;
    hub.restart();
    hub.events.pop();
    nils.replica.wake();
    let pull = nils.replica.next_request().unwrap().unwrap();
    let response = hub.answer(&nils, &pull);
    nils.replica.take_response(&pull.kind, &response).unwrap();
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 3);
    // A doubled answer, late.
    hub.settle(&mut [&mut nils]);
    nils.replica.take_response(&pull.kind, &response).unwrap();
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
    assert_eq!(relayed(&nils), 2);
}

#[test]
fn what_a_hub_relayed_stays_while_the_device_is_elsewhere_and_falls_away_after_thirty_days() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    bed(&mut nora, "cleaning");
    hub.settle(&mut [&mut nora, &mut nils]);
    let before = cell(&mut nils, "beds", BED_2, "status");
    nils.sync(&mut hub.server).unwrap();
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "cleaning");
    hub.server.clock.pass(29 * DAY);
    nils.sync(&mut hub.server).unwrap();
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "cleaning");
    hub.server.clock.pass(2 * DAY);
    nils.sync(&mut hub.server).unwrap();
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), before);
    // Back at the hub, which has the same list still: it has been told of the place.
    hub.restart();
    hub.settle(&mut [&mut nils]);
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "cleaning");
}

#[test]
fn a_new_copy_has_what_is_relayed_on_top() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    bed(&mut nora, "cleaning");
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    hub.settle(&mut [&mut nora, &mut nils]);
    nils.run("editRow", edit("patients", ANNA, json!({ "address": "Quay 1" })))
        .unwrap();
    nils.spoil("INSERT INTO sync_meta (key, value) VALUES ('recopy', 1)")
        .unwrap();
    hub.settle(&mut [&mut nils]);
    assert_eq!(relayed(&nils), 2);
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "cleaning");
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "1");
    assert_eq!(cell(&mut nils, "patients", ANNA, "address"), "Quay 1");
    hub.settle(&mut [&mut nora, &mut nils]);
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
}

#[test]
fn who_sees_other_columns_copies_anew_and_is_told_of_the_list_again() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    bed(&mut nora, "cleaning");
    hub.settle(&mut [&mut nora, &mut nils]);
    nils.sign_in(&mut hub.server, "mira").unwrap();
    hub.settle(&mut [&mut nils]);
    assert_eq!(relayed(&nils), 1);
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "cleaning");
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
}

#[test]
fn two_hubs_may_relay_the_same() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let id = bed(&mut nora, "cleaning");
    nora.run("editRow", edit("patients", BERT, json!({ "phone": "1" })))
        .unwrap();
    hub.settle(&mut [&mut nora, &mut nils]);
    // Another ward's hub has been given it too.
    (hub.id, hub.list) = (
        holdfast_core::ids::HubId(uuid::Uuid::from_u128(0x77)),
        holdfast_core::protocol::RelayList(70),
    );
    hub.events.retain(|event| event.id == id);
    hub.settle(&mut [&mut nils]);
    assert_eq!(relayed(&nils), 2, "what the first one relays is on its way still");
    hub.settle(&mut [&mut nora, &mut nils]);
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(nils.state().unwrap(), nora.state().unwrap());
}

/// Otherwise the hub would read every page twice.
#[test]
fn what_is_asked_ahead_names_the_place_in_the_list() {
    let mut server = hospital();
    server.pull_page = 2;
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    hub.settle(&mut [&mut nils]);
    for n in 0..7 {
        let edit = edit("patients", ANNA, json!({ "phone": n.to_string() }));
        nora.run("editRow", edit).unwrap();
    }
    nora.sync(&mut hub.server).unwrap();
    nils.replica.wake();
    let (mut asked, mut ahead) = (Vec::new(), None);
    while let Some(request) = nils.replica.next_request().unwrap() {
        let response = hub.answer(&nils, &request);
        asked.push((request.path, ahead));
        let next = nils.replica.request_ahead(&request.kind, &response).unwrap();
        ahead = next.map(|next| next.path);
        nils.replica.take_response(&request.kind, &response).unwrap();
    }
    assert!(asked.len() > 2, "{asked:?}");
    for (path, ahead) in &asked[1..] {
        assert!(path.contains("relayed="), "{path}");
        assert_eq!(ahead.as_ref(), Some(path));
    }
}
