//! A server that was put back to a backup, and what it said before that comes late.

use holdfast_core::ids::RowId;
use holdfast_store::{
    replica::{HttpRequest, HttpResponse, RequestKind},
    testing::{Device, Disk, TestServer},
};
use serde_json::json;

use crate::ward::{ANNA, BERT, CLEO, ask, cell, edit, exchange, hospital, id, settle, take, two_nurses};

const DORA: RowId = id(0x54);

fn put_back(server: TestServer, backup: &Disk) -> TestServer {
    let TestServer {
        clock,
        snapshot_page,
        pull_page,
        ..
    } = server;
    let mut server = TestServer::start(backup, clock, 900).unwrap();
    (server.snapshot_page, server.pull_page) = (snapshot_page, pull_page);
    server
}

fn next(device: &mut Device) -> RequestKind {
    device.replica.wake();
    device.replica.next_request().unwrap().unwrap().kind
}

fn phone(device: &mut Device, patient: RowId, phone: &str) {
    let order = edit("patients", patient, json!({ "phone": phone }));
    device.run("editRow", order).unwrap();
}

/// In the server's first history Nils wrote to Anna, and Nora's last question was answered late. Then the server was put back,
/// and Nora wrote to Bert, which takes the same place.
fn another_history_of_the_same_length() -> (TestServer, Device, Device, (HttpRequest, HttpResponse)) {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let backup = server.disk().unwrap();
    phone(&mut nils, ANNA, "1");
    settle(&mut server, &mut [&mut nils, &mut nora]);
    let late = ask(&mut nora, &mut server);
    let mut server = put_back(server, &backup);
    phone(&mut nora, BERT, "2");
    exchange(&mut nora, &mut server);
    (server, nora, nils, late)
}

#[test]
fn a_late_answer_out_of_a_history_that_the_server_has_lost_is_not_compared_with_the_new_one() {
    let (mut server, mut nora, mut nils, late) = another_history_of_the_same_length();
    nora.sync(&mut server).unwrap();
    take(&mut nora, &late);
    assert_eq!(nora.replica.status().unwrap().differences, 0);
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), "1");
    assert_eq!(cell(&mut nils, "patients", BERT, "phone"), "2");
}

#[test]
fn who_is_given_a_place_that_it_has_passed_without_it_copies_anew() {
    let (mut server, mut nora, mut nils, late) = another_history_of_the_same_length();
    assert_eq!(next(&mut nora), RequestKind::Snapshot(None));
    take(&mut nora, &late);
    assert_eq!(nora.replica.status().unwrap().differences, 0);
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), "1");
    assert_eq!(cell(&mut nils, "patients", BERT, "phone"), "2");
}

#[test]
fn a_late_page_of_the_stream_that_the_server_has_lost_is_not_taken() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let backup = server.disk().unwrap();
    phone(&mut nils, ANNA, "1");
    settle(&mut server, &mut [&mut nils, &mut nora]);
    phone(&mut nils, ANNA, "1 1");
    exchange(&mut nils, &mut server);
    let late = ask(&mut nora, &mut server);
    let mut server = put_back(server, &backup);
    phone(&mut nora, BERT, "2");
    nora.sync(&mut server).unwrap();
    take(&mut nora, &late);
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), serde_json::Value::Null);
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), "1 1");
}

#[test]
fn what_a_late_answer_says_of_a_place_where_a_device_is_no_longer_begins_no_copy() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let backup = server.disk().unwrap();
    phone(&mut nils, ANNA, "1");
    settle(&mut server, &mut [&mut nils, &mut nora]);
    let mut server = put_back(server, &backup);
    let late = ask(&mut nora, &mut server);
    assert_eq!(late.1.status, 409);
    nora.sync(&mut server).unwrap();
    take(&mut nora, &late);
    assert!(matches!(next(&mut nora), RequestKind::Pull(..)));
    settle(&mut server, &mut [&mut nora, &mut nils]);
}

/// One page of the copy has a patient's document as the lost history had it, and the others are of the new one.
#[test]
fn a_late_page_of_a_copy_of_what_the_server_has_lost_is_not_put_beside_the_new_copys_pages() {
    for pages in 1..10 {
        let mut server = hospital();
        server.snapshot_page = 2;
        let (_, mut nils) = two_nurses(&mut server);
        let mut mira = Device::new(&mut server, 30, "mira").unwrap();
        let backup = server.disk().unwrap();
        phone(&mut nils, CLEO, "1");
        nils.sync(&mut server).unwrap();
        let mut nora = Device::empty(&server, 40).unwrap();
        nora.sign_in(&mut server, "nora").unwrap();
        for _ in 0..pages {
            exchange(&mut nora, &mut server);
        }
        let late = ask(&mut nora, &mut server);
        let mut server = put_back(server, &backup);
        // The stream is shorter: the copy begins again.
        nora.sign_in(&mut server, "nora").unwrap();
        exchange(&mut nora, &mut server);
        phone(&mut mira, ANNA, "2");
        exchange(&mut mira, &mut server);
        for _ in 0..pages {
            exchange(&mut nora, &mut server);
        }
        take(&mut nora, &late);
        nora.sync(&mut server).unwrap();
        assert_eq!(nora.replica.status().unwrap().differences, 0, "after {pages} pages");
        settle(&mut server, &mut [&mut nora, &mut nils, &mut mira]);
    }
}

/// Nora's edit of a text of Dora builds on one that Nils has not given back yet: her new copy is too short for it.
fn a_copy_too_short_for_what_waits(between: impl FnOnce(&mut Device, &mut TestServer)) -> (TestServer, Device, Device) {
    let mut server = hospital();
    let values = json!({ "patient_number": "P-4", "first_name": "Dora", "last_name": "Holm", "date_of_birth": "1980-05-06",
        "allergies": "Nuts." });
    server.import("patients", DORA, &values).unwrap();
    let (mut nora, mut nils) = two_nurses(&mut server);
    let backup = server.disk().unwrap();
    phone(&mut nils, DORA, "1");
    settle(&mut server, &mut [&mut nils, &mut nora]);
    let allergies = edit("patients", DORA, json!({ "allergies": "Nuts and penicillin." }));
    nora.run("editRow", allergies).unwrap();
    between(&mut nora, &mut server);
    nora.sync(&mut server).unwrap();
    let mut server = put_back(server, &backup);
    nora.sign_in(&mut server, "nora").unwrap();
    nora.sync(&mut server).unwrap();
    assert_eq!(nora.replica.status().unwrap().held, 1);
    assert_eq!(cell(&mut nora, "patients", DORA, "allergies"), "Nuts.");
    nils.sync(&mut server).unwrap();
    nora.spoil("UPDATE sync_outbox SET ask_again = NULL").unwrap();
    (server, nora, nils)
}

#[test]
fn what_a_new_copy_is_too_short_for_is_not_put_on_top_of_it_when_something_else_is_refused() {
    let (mut server, mut nora, mut nils) = a_copy_too_short_for_what_waits(|device, server| {
        // The restored server does not know that she was here, and refuses what she did.
        device.sign_in(server, "mira").unwrap();
        phone(device, BERT, "2");
    });
    assert_eq!(nora.replica.status().unwrap().rejected, 1);
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "patients", DORA, "allergies"), "Nuts and penicillin.");
}

#[test]
fn what_a_new_copy_is_too_short_for_is_acknowledged_when_the_stream_brings_it() {
    let (mut server, mut nora, mut nils) = a_copy_too_short_for_what_waits(|_, _| {});
    phone(&mut nora, DORA, "3");
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(cell(&mut nora, "patients", DORA, "allergies"), "Nuts and penicillin.");
    assert_eq!(nora.replica.status().unwrap().waiting, 0);
}
