//! A later transaction reaches the server before the one that it builds on.

use holdfast_core::protocol::{PushRequest, decode, encode};
use holdfast_store::replica::{HttpRequest, RequestKind};
use holdfast_tests::{
    hospital::{Hospital, PATIENTS},
    http::{Client, Question},
};
use serde_json::json;

use crate::assert_equal_everywhere;

crate::on_both_databases! {
    what_comes_too_early_waits_at_the_server_and_is_taken_in
}

/// Part of a push.
fn only(request: &HttpRequest, at: usize) -> HttpRequest {
    let RequestKind::Push(ids) = &request.kind else {
        panic!("no push: {request:?}")
    };
    let mut all: PushRequest = decode(&request.body).unwrap_or_else(|e| panic!("{e}"));
    let transactions = vec![all.transactions.remove(at)];
    HttpRequest {
        body: encode(&PushRequest { transactions }),
        kind: RequestKind::Push(vec![ids[at]]),
        ..request.clone()
    }
}

fn ready(hospital: &Hospital) -> serde_json::Value {
    let answer = Client::default().ask(&format!("{}/ready", hospital.server.address()), &Question::default());
    let answer = answer.unwrap_or_else(|e| panic!("{e}"));
    serde_json::from_slice(&answer.body).unwrap_or_else(|e| panic!("{e}"))
}

fn what_comes_too_early_waits_at_the_server_and_is_taken_in(mut hospital: Hospital) {
    let (mut nora, mut ada) = (hospital.device("nora"), hospital.device("ada"));
    let patient = PATIENTS[0].to_string();
    for values in [json!({ "phone": "1" }), json!({ "phone": "2" })] {
        nora.run(
            "editRow",
            json!({ "table": "patients", "id": patient, "values": values }),
        );
    }
    let request = nora.next_request().unwrap_or_else(|| panic!("nothing to push"));
    nora.exchange(&only(&request, 1)).unwrap_or_else(|e| panic!("{e}"));
    let states = |device: &holdfast_tests::device::Device| -> Vec<String> {
        let outbox = device.replica.outbox().unwrap_or_default();
        outbox.into_iter().map(|entry| entry.state).collect()
    };
    assert_eq!(states(&nora), ["waiting", "held"]);
    assert_eq!(ready(&hospital)["waiting"], 1);

    // The server keeps it over a restart.
    hospital.server.kill();
    hospital.server.start();
    assert_eq!(ready(&hospital)["waiting"], 1);
    let request = nora.next_request().unwrap_or_else(|| panic!("nothing to push"));
    assert!(
        matches!(&request.kind, RequestKind::Push(ids) if ids.len() == 1),
        "{:?}",
        request.kind
    );
    nora.sync();
    assert_eq!(states(&nora), Vec::<String>::new());
    assert_eq!(ready(&hospital)["waiting"], 0);
    ada.sync();
    assert_eq!(
        ada.text(&format!("SELECT phone FROM patients WHERE id = '{patient}'")),
        "2"
    );
    assert_equal_everywhere(&hospital, &[&nora, &ada]);
}
