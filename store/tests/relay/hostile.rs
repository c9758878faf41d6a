//! A hub that was taken over, or is broken.

use holdfast_core::{
    ids::TransactionId,
    protocol::{PullResponse, Relayed, encode},
    transaction::{Body, Transaction},
};
use holdfast_store::{replica::RequestKind, testing::Device};
use serde_json::json;

use crate::{
    hub::Hub,
    ward::{ANNA, BED_1, GLOVES, cell, edit, hospital, settle, two_nurses},
};

/// The answer to a device's pull, as the hub gives it but for what `lie` does to it.
fn told(hub: &mut Hub, device: &mut Device, lie: impl FnOnce(&mut Relayed)) {
    device.replica.wake();
    let request = device.replica.next_request().unwrap().unwrap();
    let RequestKind::Pull(after, _) = request.kind else {
        panic!("{request:?}")
    };
    let mut response: PullResponse = hub.pull(device, &request, after);
    lie(response.relayed.as_mut().unwrap());
    let response = hub.said(encode(&response));
    device.replica.take_response(&request.kind, &response).unwrap();
}

fn problem(device: &Device) -> String {
    device.replica.status().unwrap().problem.unwrap()
}

/// The same body with other bytes: of a hub that has no device's key.
fn forged(transaction: &Transaction, change: impl FnOnce(&mut Body)) -> Transaction {
    let mut body = transaction.body().unwrap();
    change(&mut body);
    Transaction {
        body: minicbor::to_vec(&body).unwrap().into(),
        ..transaction.clone()
    }
}

type Lie = fn(&mut Relayed);

#[test]
fn a_list_that_cannot_be_is_not_taken_in_and_told() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    hub.settle(&mut [&mut nora]);
    nils.replica.wake();
    let before = nils.dump().unwrap();
    let lies: [(Lie, &str); 7] = [
        (|r| r.after = 5, "which cannot be"),
        (|r| (r.after, r.place) = (1, 2), "not asked for"),
        (|r| (r.more, r.place) = (true, 0), "which cannot be"),
        (|r| (r.more, r.events) = (true, Vec::new()), "which cannot be"),
        (|r| r.events.push(r.events[0].clone()), "twice or under another name"),
        (
            |r| r.events[0].id = TransactionId(uuid::Uuid::from_u128(4)),
            "twice or under another name",
        ),
        (
            |r| r.events[0].transaction.as_mut().unwrap().body = vec![1, 2, 3].into(),
            "cannot be read",
        ),
    ];
    for (lie, words) in lies {
        told(&mut hub, &mut nils, lie);
        assert!(problem(&nils).contains(words), "{}", problem(&nils));
        assert_eq!(nils.dump().unwrap(), before);
    }
    hub.settle(&mut [&mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
}

#[test]
fn ones_own_work_with_other_content_is_not_taken_in_and_nothing_is_lost() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    hub.settle(&mut [&mut nora]);
    hub.restart();
    told(&mut hub, &mut nora, |relayed| {
        let transaction = relayed.events[0].transaction.as_mut().unwrap();
        *transaction = forged(transaction, |body| body.command = "another".to_owned());
    });
    assert!(problem(&nora).contains("other content"), "{}", problem(&nora));
    assert_eq!(nora.replica.status().unwrap().waiting, 1);
    assert_eq!(cell(&mut nora, "supplies", GLOVES, "current_stock"), 7);
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
}

#[test]
fn work_that_nobody_did_goes_when_the_stream_says_otherwise() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    for status in ["cleaning", "available"] {
        nora.run("editRow", edit("beds", BED_1, json!({ "status": status })))
            .unwrap();
    }
    hub.settle(&mut [&mut nora]);
    // The second one's changes under the first one's name: Nils is shown what does not follow.
    let honest = hub.relayed();
    let first = honest[0].body().unwrap();
    let lie = Transaction {
        changes: honest[1].changes.clone(),
        ..forged(&honest[1], |body| body.id = first.id)
    };
    hub.events.truncate(1);
    hub.events[0].transaction = Some(lie);
    hub.sync(&mut nils);
    nils.dump().unwrap();
    // Nils works on.
    nils.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    hub.events.clear();
    hub.restart();
    for one in honest {
        hub.list(one);
    }
    hub.settle(&mut [&mut nils]);
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "available");
}

#[test]
fn what_was_never_in_the_stream_does_not_stay_in_a_document_behind_its_back() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    nora.run("editRow", edit("beds", BED_1, json!({ "status": "cleaning" })))
        .unwrap();
    hub.settle(&mut [&mut nora]);
    let honest = hub.relayed().remove(0);
    // The same device and the same number, and something else: as if she had made it of another copy of her store.
    let clock = hub.server.clock.clone();
    let mut twin = Device::start(&nils.disk().unwrap(), clock.host(5)).unwrap();
    twin.run("editRow", edit("beds", BED_1, json!({ "status": "maintenance" })))
        .unwrap();
    twin.replica.wake();
    let request = twin.replica.next_request().unwrap().unwrap();
    let push: holdfast_core::protocol::PushRequest = holdfast_core::protocol::decode(&request.body).unwrap();
    let device = twin.replica.device_id();
    let name = honest.body().unwrap();
    let lie = forged(&push.transactions[0], |body| {
        assert_eq!(body.device, device);
        body.id = name.id;
    });
    hub.events[0].transaction = Some(lie);
    // It is shown to a third one, whose device has no keys of others.
    let mut third = Device::new(&mut hub.server, 40, "nils").unwrap();
    hub.sync(&mut third);
    assert_eq!(cell(&mut third, "beds", BED_1, "status"), "maintenance");
    hub.events[0].transaction = Some(honest);
    hub.pass_on();
    settle(&mut hub.server, &mut [&mut nora, &mut nils, &mut third]);
    assert_eq!(cell(&mut third, "beds", BED_1, "status"), "cleaning");
    assert_eq!(third.state().unwrap(), nora.state().unwrap());
}

#[test]
fn what_would_break_a_table_is_left_out() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let mut hub = Hub::new(server);
    nora.run("editRow", edit("beds", BED_1, json!({ "status": "cleaning" })))
        .unwrap();
    hub.settle(&mut [&mut nora]);
    // A bed's change under a patient's name.
    let transaction = hub.relayed().remove(0);
    let lie = forged(&transaction, |body| {
        let patients = holdfast_core::schema::Schema::hospital().expect("patients").id;
        for change in &mut body.changes {
            change.document = holdfast_core::document::DocumentId::main(patients, ANNA);
        }
    });
    hub.events[0].transaction = Some(lie);
    let before = nils.dump().unwrap();
    hub.settle(&mut [&mut nils]);
    assert_eq!(nils.dump().unwrap(), before);
    assert_eq!(nils.replica.status().unwrap().hub.unwrap().left_out, 1);
}
