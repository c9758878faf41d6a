//! What the server refuses.

use holdfast_core::ids::TransactionId;
use holdfast_store::replica::Order;
use serde_json::json;

use crate::ward::{ANNA, BERT, cell, edit, hospital, settle, two_nurses};

/// The server turns Nora into an auditor, who writes nothing, and her device doesn't know yet.
fn demote_nora(server: &mut holdfast_store::testing::TestServer, role: &str) {
    let mut mira = holdfast_store::testing::Device::new(server, 30, "mira").unwrap();
    let nora = crate::ward::id(0x11);
    mira.run("editRow", edit("users", nora, json!({ "role": role })))
        .unwrap();
    mira.sync(server).unwrap();
}

#[test]
fn a_refused_command_is_taken_back_and_kept_with_its_reason() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    demote_nora(&mut server, "auditor");
    let receipt = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nora.sync(&mut server).unwrap();
    let outbox = nora.replica.outbox().unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!(
        (outbox[0].state.as_str(), outbox[0].transaction_id),
        ("rejected", receipt.transaction_id)
    );
    assert!(
        outbox[0].reason.as_deref().unwrap().contains("your role may not write"),
        "{outbox:?}"
    );
    assert_eq!(server.store.quarantine(10).unwrap()[0].id, receipt.transaction_id);
    settle(&mut server, &mut [&mut nora, &mut nils]);

    nora.replica.discard(receipt.transaction_id).unwrap();
    assert_eq!(nora.replica.outbox().unwrap(), []);
    assert!(nora.replica.discard(receipt.transaction_id).is_err());
}

#[test]
fn commands_after_a_refused_one_are_done_again_on_what_the_server_has() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    demote_nora(&mut server, "cleaner");
    // Refused: a cleaner does not register patients.
    let values =
        json!({ "patient_number": "P-7", "first_name": "Dora", "last_name": "Lund", "date_of_birth": "1990-01-01" });
    let made = nora
        .run("createRow", json!({ "table": "patients", "values": values }))
        .unwrap();
    let dora: holdfast_core::ids::RowId = serde_json::from_value(json!(made.rows[0].id)).unwrap();
    // Impossible without the one before.
    nora.run("editRow", edit("patients", dora, json!({ "phone": "1" })))
        .unwrap();
    // Nothing to do with it: a cleaner may.
    nora.run(
        "editRow",
        edit("beds", crate::ward::BED_1, json!({ "status": "cleaning" })),
    )
    .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    let left: Vec<_> = nora
        .replica
        .outbox()
        .unwrap()
        .into_iter()
        .map(|e| (e.state, e.command))
        .collect();
    assert_eq!(
        left,
        [
            ("rejected".into(), "createRow".into()),
            ("rejected".into(), "editRow".into())
        ]
    );
    assert_eq!(cell(&mut nils, "beds", crate::ward::BED_1, "status"), "cleaning");
    assert_eq!(server.store.count("patients").unwrap(), 3);
}

#[test]
fn a_command_that_built_on_a_refused_one_reaches_the_server_as_a_new_transaction() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    // While Nora is a cleaner both are refused, the second at least because it builds on the first.
    demote_nora(&mut server, "cleaner");
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "email": "a@b.test" })))
        .unwrap();
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    let response = nora.send(&mut server, &request).unwrap();
    let push: holdfast_core::protocol::PushResponse = holdfast_core::protocol::decode(&response.body).unwrap();
    assert_eq!(push.outcomes.len(), 2);
    demote_nora(&mut server, "nurse");
    nora.replica.take_response(&request.kind, &response).unwrap();
    let left: Vec<_> = nora.replica.outbox().unwrap().into_iter().map(|e| e.state).collect();
    assert_eq!(left, ["rejected", "waiting"]);
    // The same answer again changes nothing.
    nora.replica.take_response(&request.kind, &response).unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "patients", ANNA, "email"), "a@b.test");
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), serde_json::Value::Null);
}

/// The answer to a push is late, and so is the next push, which goes on from the same place: what only that one carries is not
/// made anew for what the answer refuses, for it may still arrive.
#[test]
fn what_is_under_way_is_not_made_anew_when_something_before_it_is_refused() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    demote_nora(&mut server, "cleaner");
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nora.replica.wake();
    let first = nora.replica.next_request().unwrap().unwrap();
    let answer = nora.send(&mut server, &first).unwrap();
    nora.replica.take_failure("No answer came.");
    let cleaned = nora
        .run(
            "editRow",
            edit("beds", crate::ward::BED_1, json!({ "status": "cleaning" })),
        )
        .unwrap();
    nora.replica.wake();
    let second = nora.replica.next_request().unwrap().unwrap();
    nora.replica.take_response(&first.kind, &answer).unwrap();
    let left: Vec<_> = nora.replica.outbox().unwrap().into_iter().map(|e| e.state).collect();
    assert_eq!(left, ["rejected", "waiting"]);
    nora.send(&mut server, &second).unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    let by_nora = |entry: &holdfast_core::transaction::LogEntry| {
        let body = entry.transaction.body().unwrap();
        (body.device == nora.replica.device_id()).then_some(body.id)
    };
    let taken: Vec<_> = server.log().unwrap().iter().filter_map(by_nora).collect();
    assert_eq!(taken, [cleaned.transaction_id]);
}

#[test]
fn a_replayed_command_makes_the_same_rows_again() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    demote_nora(&mut server, "cleaner");
    nora.run("editRow", edit("patients", BERT, json!({ "phone": "1" })))
        .unwrap();
    let values = json!({ "bed_number": "3", "room_id": crate::ward::id(0x31) });
    let made = nora
        .run("createRow", json!({ "table": "beds", "values": values }))
        .unwrap();
    let bed: holdfast_core::ids::RowId = serde_json::from_value(json!(made.rows[0].id)).unwrap();
    let third = edit("beds", bed, json!({ "status": "maintenance" }));
    nora.run("editRow", third).unwrap();
    // One request carries only the first: the others wait and are made again.
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    let holdfast_store::replica::RequestKind::Push(ids) = &request.kind else {
        panic!("{request:?}")
    };
    let push: holdfast_core::protocol::PushRequest = holdfast_core::protocol::decode(&request.body).unwrap();
    let alone = holdfast_store::replica::HttpRequest {
        body: holdfast_core::protocol::encode(&holdfast_core::protocol::PushRequest {
            transactions: push.transactions[..1].to_vec(),
        }),
        kind: holdfast_store::replica::RequestKind::Push(ids[..1].to_vec()),
        ..request.clone()
    };
    let response = nora.send(&mut server, &alone).unwrap();
    nora.replica.take_response(&alone.kind, &response).unwrap();
    assert_eq!(cell(&mut nora, "beds", bed, "status"), "maintenance");
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "beds", bed, "status"), "maintenance");
}

#[test]
fn what_the_server_would_refuse_is_refused_on_the_device_already() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    let refused = nora.run(
        "editRow",
        edit("users", crate::ward::id(0x11), json!({ "role": "admin" })),
    );
    assert_eq!(refused.unwrap_err().code(), "not_allowed");
    let broken = nora.run(
        "editRow",
        edit("beds", crate::ward::BED_1, json!({ "status": "sideways" })),
    );
    let error = broken.unwrap_err();
    assert_eq!((error.code(), error.field()), ("invalid", Some("status")));
    assert_eq!(nora.replica.outbox().unwrap(), []);
}

#[test]
fn refused_work_is_mended_by_the_command_that_does_it_in_another_way() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    demote_nora(&mut server, "cleaner");
    let receipt = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    let refused = nora.replica.outbox().unwrap().remove(0);
    assert_eq!(refused.refused.unwrap()["values"]["phone"], "111");

    let mut bed = edit("beds", crate::ward::BED_1, json!({ "status": "cleaning" }));
    bed["type"] = "editRow".into();
    let mut order = Order {
        id: TransactionId(uuid::Uuid::from_u128(7)),
        command: serde_json::from_value(bed).unwrap(),
        mends: Some(receipt.transaction_id),
    };
    nora.replica.run_once(&order).unwrap();
    let status = nora.replica.status().unwrap();
    assert_eq!((status.waiting, status.rejected), (1, 0));
    let outbox = nora.replica.outbox().unwrap();
    assert!(outbox[0].mended_at.is_some() && outbox[1].mended_at.is_none());

    // What was never refused cannot be mended, and then nothing is done.
    order.id = TransactionId(uuid::Uuid::from_u128(8));
    order.mends = Some(outbox[1].transaction_id);
    assert_eq!(nora.replica.run_once(&order).unwrap_err().code(), "not_found");
    assert_eq!(nora.replica.status().unwrap().waiting, 1);
    settle(&mut server, &mut [&mut nora, &mut nils]);
}
