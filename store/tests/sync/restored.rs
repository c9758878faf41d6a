//! A server that was put back to a backup, and what it said before that comes late.

use holdfast_core::ids::RowId;
use holdfast_store::{
    replica::{HttpRequest, HttpResponse, RequestKind},
    testing::{Device, Disk, TestServer},
};
use serde_json::json;

use crate::ward::{ANNA, BERT, CLEO, cell, edit, hospital, settle, two_nurses};

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

fn ask(device: &mut Device, server: &mut TestServer) -> (HttpRequest, HttpResponse) {
    device.replica.wake();
    let request = device.replica.next_request().unwrap().unwrap();
    let response = device.send(server, &request).unwrap();
    (request, response)
}

fn take(device: &mut Device, (request, response): &(HttpRequest, HttpResponse)) {
    device.replica.take_response(&request.kind, response).unwrap();
}

fn exchange(device: &mut Device, server: &mut TestServer) {
    let answered = ask(device, server);
    take(device, &answered);
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
