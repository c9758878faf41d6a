//! Work that builds on what the server has lost, or that it will never take.

use holdfast_core::{
    policy::Role,
    protocol::{PushOutcome, PushResponse, encode},
    transaction::LogEntry,
};
use holdfast_store::{
    replica::{OutboxEntry, RequestKind},
    server::Submission,
    testing::{Device, TestServer},
};
use serde_json::json;

use crate::ward::{ANNA, BED_1, BERT, cell, edit, hospital, id, said, settle, two_nurses, unnamed};

const DAY: i64 = 24 * 60;

/// The server as it was before, and what it has lost: what Nils wrote about a bed, which Nora has seen.
fn restored(mut server: TestServer, nora: &mut Device, nils: &mut Device) -> (TestServer, LogEntry) {
    settle(&mut server, &mut [nora, nils]);
    let backup = server.disk().unwrap();
    nils.run("editRow", edit("beds", BED_1, json!({ "status": "cleaning" })))
        .unwrap();
    nils.sync(&mut server).unwrap();
    nora.sync(&mut server).unwrap();
    let lost = server.log().unwrap().pop().unwrap();
    let clock = server.clock.clone();
    (TestServer::start(&backup, clock, 77).unwrap(), lost)
}

/// Somebody gives back what was lost.
fn give_back(server: &mut TestServer, lost: &LogEntry) {
    let submission = Submission {
        opened: lost.transaction.open().unwrap(),
        transaction: lost.transaction.clone(),
        role: Role::Nurse,
        import: false,
        objection: None,
    };
    let now = server.clock.now();
    let outcomes = server.store.accept(&[submission], now).unwrap();
    assert!(
        matches!(outcomes[..], [PushOutcome::Accepted { seq, .. }] if seq == lost.seq),
        "{outcomes:?}"
    );
}

fn states(device: &Device) -> Vec<String> {
    let state = |entry: OutboxEntry| entry.state;
    device.replica.outbox().unwrap().into_iter().map(state).collect()
}

/// What the device would push now.
fn pushes(device: &mut Device) -> usize {
    device.replica.wake();
    match device.replica.next_request().unwrap().unwrap().kind {
        RequestKind::Push(ids) => ids.len(),
        _ => 0,
    }
}

#[test]
fn what_builds_on_something_lost_waits_and_is_confirmed_by_the_stream() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let (mut server, lost) = restored(server, &mut nora, &mut nils);

    nora.run("editRow", edit("beds", BED_1, json!({ "status": "available" })))
        .unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut server).unwrap();
    // The one behind it got through.
    assert_eq!(states(&nora), ["held"]);
    assert_eq!(server.store.head().unwrap(), lost.seq);
    let status = nora.replica.status().unwrap();
    assert_eq!((status.waiting, status.held, status.rejected), (1, 1, 0));
    assert_eq!(server.store.waiting().unwrap().transactions, 1);
    assert_eq!(pushes(&mut nora), 0, "it is not sent with every round");
    server.clock.pass(DAY - 10);
    assert_eq!(pushes(&mut nora), 0);
    server.clock.pass(20);
    assert_eq!(
        pushes(&mut nora),
        1,
        "after a day the server is asked what became of it"
    );
}

#[test]
fn what_is_kept_for_later_comes_back_through_the_stream() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let (mut server, lost) = restored(server, &mut nora, &mut nils);
    nora.run("editRow", edit("beds", BED_1, json!({ "status": "available" })))
        .unwrap();
    nora.sync(&mut server).unwrap();
    assert_eq!(states(&nora), ["held"]);
    give_back(&mut server, &lost);
    assert_eq!(server.store.waiting().unwrap().transactions, 0);
    assert_eq!(server.log().unwrap().last().unwrap().seq, lost.seq.next());
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(states(&nora), Vec::<String>::new());
    assert_eq!(nora.replica.status().unwrap().held, 0);
    assert_eq!(cell(&mut nils, "beds", BED_1, "status"), "available");
}

#[test]
fn what_the_server_keeps_is_not_made_again_when_something_else_is_refused() {
    let mut server = hospital();
    let mut mira = Device::new(&mut server, 30, "mira").unwrap();
    let (mut nora, mut nils) = two_nurses(&mut server);
    // Nora is a cleaner now, and does not know yet.
    mira.run("editRow", edit("users", id(0x11), json!({ "role": "cleaner" })))
        .unwrap();
    mira.sync(&mut server).unwrap();
    let (mut server, lost) = restored(server, &mut nora, &mut nils);
    let held = nora
        .run("editRow", edit("beds", BED_1, json!({ "status": "available" })))
        .unwrap();
    nora.sync(&mut server).unwrap();
    nora.sync(&mut server).unwrap();
    assert_eq!(states(&nora), ["held"]);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut server).unwrap();
    assert_eq!(states(&nora), ["held", "rejected"]);
    assert_eq!(nora.replica.outbox().unwrap()[0].transaction_id, held.transaction_id);
    assert_eq!(
        cell(&mut nora, "beds", BED_1, "status"),
        "available",
        "she still sees it"
    );

    give_back(&mut server, &lost);
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(states(&nora), ["rejected"]);
    let log = server.log().unwrap();
    assert_eq!(log.len() as u64, lost.seq.0 + 1, "it came once");
    assert_eq!(log.last().unwrap().transaction.body().unwrap().id, held.transaction_id);
}

#[test]
fn what_the_server_has_no_room_for_is_sent_again_after_an_hour() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    let RequestKind::Push(ids) = &request.kind else {
        panic!("it pushes first")
    };
    let outcomes = vec![PushOutcome::Later { id: ids[0], missing: 1 }];
    nora.replica
        .take_response(&request.kind, &said(&server, 200, encode(&PushResponse { outcomes })))
        .unwrap();
    assert_eq!(states(&nora), ["held"]);
    assert_eq!(pushes(&mut nora), 0);
    server.clock.pass(61);
    assert_eq!(pushes(&mut nora), 1);
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "1");
}

#[test]
fn a_transaction_that_is_too_large_is_set_aside_and_the_others_get_through() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    for (patient, phone) in [(ANNA, "1"), (BERT, "22"), (ANNA, "3"), (BERT, "4")] {
        nora.run("editRow", edit("patients", patient, json!({ "phone": phone })))
            .unwrap();
    }
    let large = nora.replica.outbox().unwrap()[1].transaction_id;
    nora.replica.wake();
    let mut refused = 0;
    while let Some(request) = nora.replica.next_request().unwrap() {
        let too_large = matches!(&request.kind, RequestKind::Push(ids) if ids.contains(&large));
        let response = if too_large {
            refused += 1;
            said(&server, 413, Vec::new())
        } else {
            nora.send(&mut server, &request).unwrap()
        };
        nora.replica.take_response(&request.kind, &response).unwrap();
    }
    assert!(refused <= 6, "{refused} pushes to find one of four");
    let outbox = nora.replica.outbox().unwrap();
    assert_eq!(states(&nora), ["rejected"]);
    assert_eq!(outbox[0].transaction_id, large);
    assert!(outbox[0].reason.as_deref().unwrap().contains("too large"), "{outbox:?}");
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "3");
    assert_eq!(cell(&mut nils, "patients", BERT, "phone"), "4");
}

#[test]
fn an_answer_that_only_looks_like_a_refusal_sets_nothing_aside() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    for (status, body) in [(400, "<html>captive portal</html>"), (429, ""), (503, ""), (404, "")] {
        nora.replica.wake();
        let request = nora.replica.next_request().unwrap().unwrap();
        nora.replica
            .take_response(&request.kind, &unnamed(status, body.into()))
            .unwrap();
        assert_eq!(states(&nora), ["waiting"], "{status}");
    }
    let malformed = br#"{"code":"malformed","message":"The request cannot be read."}"#;
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    let response = said(&server, 400, malformed.to_vec());
    nora.replica.take_response(&request.kind, &response).unwrap();
    assert_eq!(states(&nora), ["rejected"]);
}
