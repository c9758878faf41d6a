//! What becomes of a device's own work, and how far it has come.

use holdfast_core::ids::TransactionId;
use holdfast_store::{
    replica::{Durability, RequestKind},
    testing::Device,
};
use serde_json::json;

use crate::{
    hub::Hub,
    ward::{ANNA, BED_1, GLOVES, cell, edit, hospital, settle, two_nurses},
};

fn durability(device: &Device, id: TransactionId) -> Option<Durability> {
    device.replica.durability(id).unwrap()
}

fn phone(device: &mut Device, phone: &str) -> TransactionId {
    let edit = edit("patients", ANNA, json!({ "phone": phone }));
    device.run("editRow", edit).unwrap().transaction_id
}

fn take(device: &mut Device, quantity: u32) -> TransactionId {
    let taken = json!({ "supplyId": GLOVES, "quantity": quantity });
    device.run("takeStock", taken).unwrap().transaction_id
}

/// How many transactions it would push now.
fn pushes(device: &mut Device) -> usize {
    device.replica.wake();
    match device.replica.next_request().unwrap().unwrap().kind {
        RequestKind::Push(ids) => ids.len(),
        _ => 0,
    }
}

#[test]
fn own_work_is_on_the_device_then_at_the_hub_then_at_the_hospital() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let id = phone(&mut nora, "1");
    assert_eq!(durability(&nora, id), Some(Durability::Device));
    hub.settle(&mut [&mut nora]);
    assert_eq!(durability(&nora, id), Some(Durability::Hub));
    let status = nora.replica.status().unwrap();
    assert_eq!((status.waiting, status.at_hub, status.held), (1, 1, 0));
    let entry = &nora.replica.outbox().unwrap()[0];
    assert_eq!((entry.state.as_str(), entry.durability), ("waiting", Durability::Hub));
    assert_eq!(pushes(&mut nora), 0, "it is not sent with every round");

    hub.pass_on();
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(durability(&nora, id), Some(Durability::Hospital));
    assert_eq!(nora.replica.status().unwrap().waiting, 0);
    assert_eq!(durability(&nora, TransactionId(uuid::Uuid::from_u128(1))), None);
}

#[test]
fn what_is_at_a_hub_is_sent_to_the_hospital_by_whom_it_meets_and_counts_once() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let id = take(&mut nora, 3);
    hub.settle(&mut [&mut nora, &mut nils]);
    // She walks out of the ward.
    nora.sync(&mut hub.server).unwrap();
    assert_eq!(durability(&nora, id), Some(Durability::Hospital));
    assert_eq!(nora.replica.status().unwrap().hub, None);
    // The hub gives it on as well, later; and she is back, where the stream is not as long as hers.
    hub.behind = Some(holdfast_core::ids::Seq(3));
    hub.settle(&mut [&mut nora]);
    assert_eq!(cell(&mut nora, "supplies", GLOVES, "current_stock"), 7);
    hub.behind = None;
    hub.pass_on();
    hub.settle(&mut [&mut nora, &mut nils]);
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
    assert_eq!(nora.replica.status().unwrap().differences, 0);
}

#[test]
fn who_is_in_between_a_hub_and_the_hospital_sends_once_a_round() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    take(&mut nora, 3);
    nora.replica.wake();
    let mut pushes = 0;
    for n in 0.. {
        let Some(request) = nora.replica.next_request().unwrap() else {
            break;
        };
        assert!(n < 10, "it does not come to an end");
        // Pulls are answered by the hospital and the hub in turn, and pushes by the hub.
        let push = matches!(request.kind, RequestKind::Push(_));
        pushes += usize::from(push);
        let response = if push || n % 4 == 1 {
            hub.answer(&nora, &request)
        } else {
            nora.send(&mut hub.server, &request).unwrap()
        };
        nora.replica.take_response(&request.kind, &response).unwrap();
    }
    assert!(pushes <= 2, "{pushes}");
}

#[test]
fn what_a_hub_lost_is_sent_to_it_again() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let (lost, kept) = (take(&mut nora, 3), phone(&mut nora, "1"));
    hub.settle(&mut [&mut nora, &mut nils]);
    hub.restart();
    hub.events.retain(|event| event.id == kept);
    nora.replica.wake();
    let pull = nora.replica.next_request().unwrap().unwrap();
    let response = hub.answer(&nora, &pull);
    nora.replica.take_response(&pull.kind, &response).unwrap();
    assert_eq!(durability(&nora, lost), Some(Durability::Device));
    assert_eq!(durability(&nora, kept), Some(Durability::Hub));
    assert_eq!(pushes(&mut nora), 1);
    // For Nils it fell away, and comes back.
    hub.settle(&mut [&mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 10);
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
    assert_eq!(durability(&nora, lost), Some(Durability::Hub));
}

#[test]
fn what_the_hospital_refused_of_a_hubs_is_refused_with_its_reason() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let (refused, dependent, other) = (phone(&mut nora, "1"), phone(&mut nora, "2"), take(&mut nora, 3));
    hub.settle(&mut [&mut nora, &mut nils]);
    hub.withdraw(refused);
    hub.withdraw(dependent);
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(durability(&nora, refused), Some(Durability::Refused));
    let entry = &nora.replica.outbox().unwrap()[0];
    assert_eq!(entry.reason.as_deref(), Some("the hospital refused it"));
    // What built on it was done again under another name, by which its page does not know it.
    assert!(!hub.relayed().iter().any(|t| t.body().unwrap().id == dependent));
    hub.settle(&mut [&mut nora, &mut nils]);
    assert_eq!(durability(&nora, dependent), Some(Durability::Hub));
    assert_eq!(durability(&nora, other), Some(Durability::Hub));
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "2");
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(durability(&nora, dependent), Some(Durability::Hospital));
    assert_eq!(
        cell(&mut nora, "supplies", GLOVES, "current_stock"),
        7,
        "it was taken once"
    );
}

#[test]
fn what_builds_on_somebody_elses_refused_work_is_done_again_without_it() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let refused = phone(&mut nora, "1");
    take(&mut nora, 1);
    hub.settle(&mut [&mut nora, &mut nils]);
    let (built_on, other) = (phone(&mut nils, "2"), take(&mut nils, 2));
    hub.settle(&mut [&mut nils]);
    let not_sent = nils
        .run("editRow", edit("beds", BED_1, json!({ "status": "cleaning" })))
        .unwrap()
        .transaction_id;
    hub.withdraw(refused);
    hub.withdraw(built_on);
    hub.settle(&mut [&mut nora, &mut nils]);
    hub.settle(&mut [&mut nora]);
    for id in [built_on, other, not_sent] {
        assert_eq!(durability(&nils, id), Some(Durability::Hub));
    }
    let under: Vec<_> = nils
        .replica
        .outbox()
        .unwrap()
        .into_iter()
        .map(|e| e.transaction_id)
        .collect();
    assert_ne!(under[0], built_on);
    assert_eq!(under[1..], [other, not_sent], "they did not build on it");
    for device in [&mut nora, &mut nils] {
        assert_eq!(cell(device, "patients", ANNA, "phone"), "2");
        assert_eq!(cell(device, "supplies", GLOVES, "current_stock"), 7);
    }
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
}

#[test]
fn what_the_hospital_took_after_a_hub_refused_it_is_not_refused_any_more() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    let id = phone(&mut nora, "1");
    hub.settle(&mut [&mut nora]);
    let transactions = hub.relayed();
    hub.withdraw(id);
    hub.settle(&mut [&mut nora]);
    assert_eq!(durability(&nora, id), Some(Durability::Refused));
    hub.events.clear();
    hub.restart();
    for one in transactions {
        hub.list(one);
    }
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(durability(&nora, id), Some(Durability::Hospital));
    assert_eq!(nora.replica.outbox().unwrap(), []);
}

#[test]
fn a_hub_without_a_link_to_the_hospital_says_since_when_whatever_the_devices_clock_says() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    assert_eq!(nora.replica.status().unwrap().hub, None);
    let mut hub = Hub::new(server);
    hub.settle(&mut [&mut nora]);
    assert!(nora.replica.status().unwrap().hub.unwrap().linked);
    // The hub's clock is behind the device's.
    hub.server.clock.pass(10);
    hub.settle(&mut [&mut nora]);
    assert!(nora.replica.status().unwrap().hub.unwrap().linked);
    hub.linked = false;
    hub.settle(&mut [&mut nora]);
    let known = nora.replica.status().unwrap().hub.unwrap();
    assert_eq!(
        (known.linked, known.contact),
        (false, hub.contact.map(|t| t.to_string()))
    );
    hub.contact = None;
    hub.settle(&mut [&mut nora]);
    let known = nora.replica.status().unwrap().hub.unwrap();
    assert_eq!((known.linked, known.contact), (false, None));
}

#[test]
fn what_a_hub_may_have_is_not_made_again_under_another_name() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    hub.settle(&mut [&mut nora]);
    let (too_large, given) = (phone(&mut nora, "1"), take(&mut nora, 3));
    nora.replica.wake();
    let push = nora.replica.next_request().unwrap().unwrap();
    hub.answer(&nora, &push);
    nora.replica.take_failure("the answer was lost");
    // Elsewhere the first one is refused before anybody looks at it.
    for sent in [2, 1] {
        nora.replica.wake();
        let push = nora.replica.next_request().unwrap().unwrap();
        assert!(matches!(&push.kind, RequestKind::Push(ids) if ids.len() == sent));
        let refused = crate::ward::said(&hub.server, 413, Vec::new());
        nora.replica.take_response(&push.kind, &refused).unwrap();
    }
    assert_eq!(durability(&nora, too_large), Some(Durability::Refused));
    assert_eq!(nora.replica.outbox().unwrap()[1].transaction_id, given);
    nora.sync(&mut hub.server).unwrap();
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(
        cell(&mut nils, "supplies", GLOVES, "current_stock"),
        7,
        "it was taken once"
    );
}
