//! What gets lost on the way, or comes twice.

use holdfast_store::testing::Device;
use serde_json::json;

use crate::ward::{ANNA, GLOVES, cell, edit, hospital, said, settle, two_nurses};

#[test]
fn a_push_whose_answer_is_lost_is_neither_lost_nor_doubled() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    nora.replica.wake();
    let request = nora.replica.next_request().unwrap().unwrap();
    nora.send(&mut server, &request).unwrap();
    nora.replica.take_failure("the network went away");
    assert_eq!(nora.replica.status().unwrap().waiting, 1);
    let mut nora = nora.reopen(&server, 11).unwrap();
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 1 }))
        .unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 6);
    assert_eq!(nora.replica.status().unwrap().waiting, 0);
}

#[test]
fn an_entry_of_ones_own_that_is_pulled_before_it_is_acknowledged_counts_as_acknowledged() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.replica.wake();
    let pull = nora.replica.next_request().unwrap().unwrap();
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    let push = nora.replica.next_request().unwrap().unwrap();
    nora.send(&mut server, &push).unwrap();
    let response = nora.send(&mut server, &pull).unwrap();
    nora.replica.take_response(&pull.kind, &response).unwrap();
    assert_eq!(nora.replica.status().unwrap().waiting, 0);
    // The same page again, late.
    nora.replica.take_response(&pull.kind, &response).unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "supplies", GLOVES, "current_stock"), 7);
}

#[test]
fn a_copy_that_breaks_off_goes_on_where_it_was() {
    let mut server = hospital();
    server.snapshot_page = 4;
    let mut nora = Device::empty(&server, 10).unwrap();
    nora.sign_in(&mut server, "nora").unwrap();
    for _ in 0..2 {
        let request = nora.replica.next_request().unwrap().unwrap();
        let response = nora.send(&mut server, &request).unwrap();
        nora.replica.take_response(&request.kind, &response).unwrap();
        nora.replica.take_response(&request.kind, &response).unwrap();
    }
    let first = nora.replica.status().unwrap().first_sync.unwrap();
    assert_eq!(first.received, 8);
    assert!(first.expected > 8);
    assert_eq!(
        nora.run("createRow", json!({ "table": "beds", "values": {} }))
            .unwrap_err()
            .code(),
        "first_sync"
    );

    // Meanwhile somebody works.
    let mut nils = Device::new(&mut server, 20, "nils").unwrap();
    nils.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nils.sync(&mut server).unwrap();

    let mut nora = nora.reopen(&server, 11).unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    let status = nora.replica.status().unwrap();
    assert_eq!(status.first_sync, None);
    assert!(status.last_in_step.is_some());
}

#[test]
fn answers_that_make_no_sense_change_nothing_and_are_told() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    let before = nora.dump().unwrap();
    for (status, body) in [
        (200, vec![0xff, 0x00]),
        (200, Vec::new()),
        (502, b"<html>".to_vec()),
        (503, Vec::new()),
    ] {
        nora.replica.wake();
        let request = nora.replica.next_request().unwrap().unwrap();
        nora.replica
            .take_response(&request.kind, &said(&server, status, body))
            .unwrap();
        assert!(nora.replica.status().unwrap().problem.is_some());
        assert_eq!(nora.replica.next_request().unwrap(), None);
    }
    assert_eq!(nora.dump().unwrap(), before);
    settle(&mut server, &mut [&mut nora, &mut nils]);
}

#[test]
fn pages_of_the_stream_follow_each_other() {
    let mut server = hospital();
    server.pull_page = 2;
    let (mut nora, mut nils) = two_nurses(&mut server);
    for phone in ["1", "2", "3", "4", "5"] {
        nora.run("editRow", edit("patients", ANNA, json!({ "phone": phone })))
            .unwrap();
    }
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "5");
}
