//! The address leads to another hospital's server.

use holdfast_store::{
    replica::{ConnectionState, RequestKind},
    testing::{Device, TestServer},
};
use serde_json::json;

use crate::ward::{ANNA, GLOVES, cell, edit, hospital, said, settle, two_nurses, unnamed};

/// Not the hospital that devices of [`hospital`] know.
fn elsewhere() -> TestServer {
    let server = hospital();
    server
        .spoil("UPDATE sync_meta SET value = '0e0e0e0e-0000-4000-8000-000000000000' WHERE key = 'hospital_id'")
        .unwrap();
    server
}

/// Nora has work that waits; the server that answers her request with `status` and `body` is another hospital's.
fn answered_from_elsewhere(server: &mut TestServer, status: u16, body: &[u8]) -> Device {
    let (mut nora, _) = two_nurses(server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    assert!(matches!(request.kind, RequestKind::Push(_)));
    let before = nora.dump().unwrap();
    nora.replica
        .take_response(&request.kind, &said(&elsewhere(), status, body.to_vec()))
        .unwrap();
    assert_eq!(nora.dump().unwrap(), before);
    nora
}

fn is_kept_and_not_sent(nora: &mut Device) {
    let status = nora.replica.status().unwrap();
    assert_eq!(
        (status.connection, status.waiting, status.rejected),
        (ConnectionState::OtherHospital, 1, 0)
    );
    assert_eq!(cell(nora, "patients", ANNA, "phone"), "111");
    for _ in 0..2 {
        nora.replica.wake();
        let request = nora.replica.next_request().unwrap().unwrap();
        assert_eq!(request.kind, RequestKind::Identify);
        assert!(request.body.is_empty() && !request.needs_token(), "{request:?}");
        let answer = nora.send(&mut elsewhere(), &request).unwrap();
        nora.replica.take_response(&request.kind, &answer).unwrap();
        assert_eq!(nora.replica.next_request().unwrap(), None);
    }
}

#[test]
fn what_another_hospital_answers_to_a_push_is_not_taken_whatever_it_says() {
    let malformed = br#"{"code":"malformed","message":"The request cannot be read."}"#;
    for (status, body) in [
        (200, &b"\x81\x80"[..]),
        (401, b""),
        (400, malformed),
        (413, b""),
        (503, b""),
    ] {
        let mut server = hospital();
        let mut nora = answered_from_elsewhere(&mut server, status, body);
        let problem = nora.replica.status().unwrap().problem.unwrap();
        assert!(problem.contains("another hospital"), "{status}: {problem}");
        is_kept_and_not_sent(&mut nora);
    }
}

#[test]
fn what_another_hospital_has_is_neither_pulled_nor_copied() {
    let mut server = hospital();
    let mut strange = elsewhere();
    let (mut nora, _) = two_nurses(&mut server);
    let mut nils = Device::new(&mut strange, 20, "nils").unwrap();
    nils.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    nils.sync(&mut strange).unwrap();
    let mut newcomer = Device::empty(&server, 30).unwrap();
    newcomer.sign_in(&mut server, "mira").unwrap();
    for (device, stock) in [(&mut nora, Some(10)), (&mut newcomer, None)] {
        device.replica.wake();
        let request = device.replica.next_request().unwrap().unwrap();
        // As the other server answers one of its own.
        let answer = nils.send(&mut strange, &request).unwrap();
        assert_eq!(answer.status, 200, "{request:?}");
        let before = device.dump().unwrap();
        let changed = device.replica.take_response(&request.kind, &answer).unwrap();
        assert!(changed.tables.is_empty());
        assert_eq!(device.dump().unwrap(), before);
        let status = device.replica.status().unwrap();
        assert_eq!(status.connection, ConnectionState::OtherHospital);
        assert_eq!(status.first_sync.is_some(), stock.is_none());
        if let Some(stock) = stock {
            assert_eq!(cell(device, "supplies", GLOVES, "current_stock"), stock);
        }
    }
}

#[test]
fn a_restart_does_not_make_it_send_to_another_hospital() {
    let mut server = hospital();
    let nora = answered_from_elsewhere(&mut server, 401, b"");
    let mut nora = nora.reopen(&server, 11).unwrap();
    is_kept_and_not_sent(&mut nora);
}

#[test]
fn a_live_channel_of_another_hospital_is_noticed_before_anything_is_sent() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    let own = server.store.hospital_id().unwrap().to_string();
    let other = elsewhere().store.hospital_id().unwrap().to_string();
    assert!(nora.replica.recognises(Some(&own)).unwrap());
    assert!(!nora.replica.recognises(None).unwrap());
    assert_eq!(nora.replica.status().unwrap().connection, ConnectionState::Online);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    assert!(!nora.replica.recognises(Some(&other)).unwrap());
    is_kept_and_not_sent(&mut nora);
}

#[test]
fn when_the_address_leads_home_again_all_goes_on() {
    let mut server = hospital();
    let mut nora = answered_from_elsewhere(&mut server, 200, b"");
    settle(&mut server, &mut [&mut nora]);
    let status = nora.replica.status().unwrap();
    assert_eq!((status.connection, status.waiting), (ConnectionState::Online, 0));
}

#[test]
fn a_new_sign_in_at_the_own_hospital_ends_it() {
    let mut server = hospital();
    let mut nora = answered_from_elsewhere(&mut server, 401, b"");
    nora.sign_in(&mut server, "nora").unwrap();
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    assert!(matches!(request.kind, RequestKind::Push(_)));
}

#[test]
fn an_answer_that_names_no_hospital_is_not_the_hospitals() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    // As a proxy's cache would give a real answer.
    let answer = nora.send(&mut server, &request).unwrap();
    nora.replica
        .take_response(&request.kind, &unnamed(answer.status, answer.body))
        .unwrap();
    let status = nora.replica.status().unwrap();
    assert_eq!((status.connection, status.waiting), (ConnectionState::Offline, 1));
    assert!(status.problem.unwrap().contains("in place of the hospital's server"));
    // A refusal speaks by its status.
    nora.replica.wake();
    nora.replica
        .take_response(&request.kind, &unnamed(401, Vec::new()))
        .unwrap();
    assert_eq!(nora.replica.status().unwrap().connection, ConnectionState::SignedOut);
}
