//! A device whose documents are not what the server's are notices it, copies the hospital anew and loses nothing that waits.

use holdfast_core::ids::RowId;
use holdfast_store::testing::{Device, TestServer};
use serde_json::json;

use crate::ward::{ANNA, BERT, GLOVES, cell, edit, hospital, id, two_nurses};

/// Remembers all documents as they are.
const REMEMBER: &str = "CREATE TEMP TABLE old AS SELECT * FROM sync_documents";

/// Puts a row's document back to what it was.
fn put_back(row: RowId) -> String {
    let row = row.0.simple();
    format!(
        "UPDATE sync_documents AS d SET state = o.state FROM temp.old AS o WHERE o.part = d.part AND o.row = d.row AND d.row = X'{row}'"
    )
}

fn same(server: &mut TestServer, device: &mut Device) {
    let (mut expected, mut found) = (server.dump().unwrap(), device.dump().unwrap());
    for dump in [&mut expected, &mut found] {
        dump.remove("staff");
    }
    assert_eq!(found, expected);
}

/// Nils edits two patients; Nora is in step, and then her document of one of them is the old one again.
fn one_went_back(server: &mut TestServer) -> (Device, Device) {
    let (mut nora, mut nils) = two_nurses(server);
    nora.spoil(REMEMBER).unwrap();
    for patient in [ANNA, BERT] {
        nils.run("editRow", edit("patients", patient, json!({ "phone": "555-1" })))
            .unwrap();
    }
    nils.sync(server).unwrap();
    nora.sync(server).unwrap();
    nora.spoil(&put_back(ANNA)).unwrap();
    (nora, nils)
}

#[test]
fn a_document_that_went_back_is_noticed_at_the_next_pull_and_copied_anew() {
    let mut server = hospital();
    let (nora, mut nils) = one_went_back(&mut server);
    let mut nora = nora.reopen(&server, 11).unwrap();
    nora.sync(&mut server).unwrap();
    let status = nora.replica.status().unwrap();
    assert_eq!((status.differences, status.renewing), (1, false));
    // Nils's next change would not have fitted the old document.
    nils.run("editRow", edit("patients", ANNA, json!({ "phone": "555-2" })))
        .unwrap();
    nils.sync(&mut server).unwrap();
    nora.sync(&mut server).unwrap();
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), "555-2");
    let status = nora.replica.status().unwrap();
    assert_eq!((status.differences, status.unfolded), (1, 0));
    same(&mut server, &mut nora);
}

#[test]
fn a_change_that_does_not_fit_is_counted_and_its_document_copied_anew() {
    let mut server = hospital();
    let (mut nora, mut nils) = one_went_back(&mut server);
    nils.run("editRow", edit("patients", ANNA, json!({ "phone": "555-2" })))
        .unwrap();
    nils.sync(&mut server).unwrap();
    let mut counted = 0;
    nora.replica.wake();
    while let Some(request) = nora.replica.next_request().unwrap() {
        let response = nora.send(&mut server, &request).unwrap();
        nora.replica.take_response(&request.kind, &response).unwrap();
        counted = counted.max(nora.replica.status().unwrap().unfolded);
    }
    let status = nora.replica.status().unwrap();
    assert_eq!((counted, status.differences), (1, 1));
    assert_eq!((status.unfolded, status.renewing), (0, false));
    same(&mut server, &mut nora);
}

#[test]
fn while_it_copies_anew_people_go_on_and_the_outbox_stays() {
    let mut server = hospital();
    server.snapshot_page = 3;
    let (nora, mut nils) = one_went_back(&mut server);
    let mut nora = nora.reopen(&server, 11).unwrap();
    // On the document that is wrong, and on another.
    nora.run("editRow", edit("patients", ANNA, json!({ "address": "Quay 1" })))
        .unwrap();
    nora.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 3 }))
        .unwrap();
    let mut pages = 0;
    nora.replica.wake();
    // Only pulls: what waits must wait until the difference is noticed.
    nora.spoil("UPDATE sync_outbox SET ask_again = 9000000000000000")
        .unwrap();
    while let Some(request) = nora.replica.next_request().unwrap() {
        let response = nora.send(&mut server, &request).unwrap();
        nora.replica.take_response(&request.kind, &response).unwrap();
        assert_eq!(nora.replica.status().unwrap().problem, None);
        if nora.replica.status().unwrap().renewing {
            pages += 1;
            if pages == 2 {
                nora.run("editRow", edit("patients", BERT, json!({ "address": "Quay 2" })))
                    .unwrap();
                nora.spoil("UPDATE sync_outbox SET ask_again = 9000000000000000")
                    .unwrap();
            }
        }
    }
    assert!(pages > 3, "{pages} pages");
    for (patient, address) in [(ANNA, "Quay 1"), (BERT, "Quay 2")] {
        assert_eq!(cell(&mut nora, "patients", patient, "address"), address);
        assert_eq!(cell(&mut nora, "patients", patient, "phone"), "555-1");
    }
    nora.spoil("UPDATE sync_outbox SET ask_again = NULL").unwrap();
    for device in [&mut nora, &mut nils] {
        device.sync(&mut server).unwrap();
    }
    nora.sync(&mut server).unwrap();
    let status = nora.replica.status().unwrap();
    assert_eq!((status.waiting, status.rejected, status.differences), (0, 0, 1));
    assert_eq!(cell(&mut nils, "patients", ANNA, "address"), "Quay 1");
    assert_eq!(cell(&mut nils, "supplies", GLOVES, "current_stock"), 7);
    same(&mut server, &mut nora);
}

#[test]
fn a_copy_that_dies_goes_on_after_a_restart() {
    let mut server = hospital();
    server.snapshot_page = 3;
    let (nora, _) = one_went_back(&mut server);
    let mut nora = nora.reopen(&server, 11).unwrap();
    nora.replica.wake();
    let mut asked = Vec::new();
    for _ in 0..3 {
        let request = nora.replica.next_request().unwrap().unwrap();
        let response = nora.send(&mut server, &request).unwrap();
        nora.replica.take_response(&request.kind, &response).unwrap();
        asked.push(request.path);
    }
    assert!(asked[1].contains("snapshot?differs="), "{asked:?}");
    assert!(nora.replica.status().unwrap().renewing);
    let mut nora = nora.reopen(&server, 12).unwrap();
    nora.sync(&mut server).unwrap();
    assert!(!nora.replica.status().unwrap().renewing);
    same(&mut server, &mut nora);
}

#[test]
fn documents_that_were_lost_come_back_and_those_that_nobody_made_go() {
    let mut server = hospital();
    let (nora, _) = two_nurses(&mut server);
    let (lost, odd) = (BERT.0.simple(), id(0xdd).0.simple());
    nora.spoil(&format!(
        "DELETE FROM sync_documents WHERE row = X'{lost}';
        INSERT INTO sync_documents SELECT part, X'{odd}', state, 0 FROM sync_documents WHERE row = X'{}'",
        ANNA.0.simple()
    ))
    .unwrap();
    let mut nora = nora.reopen(&server, 11).unwrap();
    nora.sync(&mut server).unwrap();
    assert_eq!(nora.replica.status().unwrap().differences, 1);
    same(&mut server, &mut nora);
    nora.sync(&mut server).unwrap();
    assert_eq!(nora.replica.status().unwrap().differences, 1);
}

#[test]
fn a_server_whose_own_sum_is_wrong_is_not_copied_again_and_again() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    server
        .spoil("UPDATE sync_meta SET value = zeroblob(64) WHERE key = 'checksums'")
        .unwrap();
    for n in 0..3 {
        nils.run("takeStock", json!({ "supplyId": GLOVES, "quantity": 1 }))
            .unwrap();
        nils.sync(&mut server).unwrap();
        nora.sync(&mut server).unwrap();
        let status = nora.replica.status().unwrap();
        assert_eq!((status.renewing, status.problem), (false, None), "after {n}");
    }
    assert!(nora.replica.status().unwrap().differences >= 3);
    assert_eq!(cell(&mut nora, "supplies", GLOVES, "current_stock"), 7);
    same(&mut server, &mut nora);
}

#[test]
fn a_manager_and_a_nurse_have_sums_over_what_they_see() {
    let mut server = hospital();
    let mut mira = Device::new(&mut server, 30, "mira").unwrap();
    let (mut nora, _) = two_nurses(&mut server);
    mira.run("editRow", edit("staff", id(0x71), json!({ "salary": "4300.00" })))
        .unwrap();
    for _ in 0..2 {
        mira.sync(&mut server).unwrap();
        nora.sync(&mut server).unwrap();
    }
    for device in [&mira, &nora] {
        assert_eq!(device.replica.status().unwrap().differences, 0);
    }
}
