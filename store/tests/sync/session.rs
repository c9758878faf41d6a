//! Signing in and out, and what the page may ask.

use holdfast_core::ids::TransactionId;
use holdfast_store::{
    replica::{ConnectionState, Order},
    testing::Device,
};
use serde_json::json;

use crate::ward::{ANNA, BED_1, cell, edit, hospital, id, settle, two_nurses};

#[test]
fn work_goes_on_when_the_server_wants_a_new_sign_in() {
    let mut server = hospital();
    let (mut nora, mut nils) = two_nurses(&mut server);
    server.forget_sessions().unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nora.sync(&mut server).unwrap();
    assert_eq!(nora.replica.status().unwrap().connection, ConnectionState::SignedOut);
    nora.run("editRow", edit("patients", ANNA, json!({ "email": "a@b.test" })))
        .unwrap();
    // A colleague signs in on the device; Nora's work goes out in her name.
    nora.sign_in(&mut server, "nils").unwrap();
    nils.sign_in(&mut server, "nils").unwrap();
    settle(&mut server, &mut [&mut nora, &mut nils]);
    assert_eq!(nora.replica.status().unwrap().connection, ConnectionState::Online);
    assert_eq!(cell(&mut nils, "patients", ANNA, "email"), "a@b.test");
}

#[test]
fn who_signs_out_leaves_the_work_here_and_it_is_sent_after_the_next_sign_in() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    nora.run("admitPatient", json!({ "patientId": ANNA, "bedId": BED_1 }))
        .unwrap();
    nora.replica.sign_out().unwrap();
    assert_eq!(nora.replica.token(), None);
    assert_eq!(nora.rows("SELECT id FROM patients").unwrap_err().code(), "signed_out");

    // Opened again without the server: she works on, and what she does waits too.
    let mut nora = nora.reopen(&server, 77).unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    nora.sync(&mut server).unwrap();
    let status = nora.replica.status().unwrap();
    assert_eq!((status.waiting, status.connection), (2, ConnectionState::SignedOut));

    nora.sign_in(&mut server, "nora").unwrap();
    settle(&mut server, &mut [&mut nora]);
    assert_eq!(nora.replica.status().unwrap().waiting, 0);
}

#[test]
fn an_order_given_twice_is_carried_out_once_and_answered_the_same() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    let mut edit_anna = edit("patients", ANNA, json!({ "phone": "111" }));
    edit_anna["type"] = "editRow".into();
    let order = Order {
        id: TransactionId(uuid::Uuid::from_u128(7)),
        command: serde_json::from_value(edit_anna).unwrap(),
        mends: None,
    };
    let first = nora.replica.run_once(&order).unwrap();
    // The program that asked is gone; another one asks again.
    let mut nora = nora.reopen(&server, 77).unwrap();
    let again = nora.replica.run_once(&order).unwrap();
    assert_eq!((first.transaction_id, &first.rows), (again.transaction_id, &again.rows));
    assert_eq!(nora.replica.status().unwrap().waiting, 1);
    // Also when the server has it.
    settle(&mut server, &mut [&mut nora]);
    let again = nora.replica.run_once(&order).unwrap();
    assert_eq!((order.id, first.rows), (again.transaction_id, again.rows));
    assert_eq!(nora.replica.status().unwrap().waiting, 0);
}

#[test]
fn restricted_columns_come_only_to_roles_that_may_see_them() {
    let mut server = hospital();
    let mut device = Device::new(&mut server, 10, "nora").unwrap();
    assert_eq!(cell(&mut device, "staff", id(0x71), "salary"), serde_json::Value::Null);
    device.sign_in(&mut server, "mira").unwrap();
    device.sync(&mut server).unwrap();
    assert_eq!(cell(&mut device, "staff", id(0x71), "salary"), "4200.00");
    assert_eq!(device.dump().unwrap(), server.dump().unwrap());
    device.sign_in(&mut server, "nora").unwrap();
    device.sync(&mut server).unwrap();
    assert_eq!(cell(&mut device, "staff", id(0x71), "salary"), serde_json::Value::Null);
}

#[test]
fn a_replica_of_one_hospital_takes_no_work_to_another() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "111" })))
        .unwrap();
    let key = [7; 32];
    let mut response = server.sign_in("nora", &key).unwrap();
    response.hospital_id = "another".to_owned();
    let refused = nora.replica.begin_session(&response, "https://other.test").unwrap_err();
    assert_eq!(refused.code(), "other_hospital");
    nora.sync(&mut server).unwrap();
    nora.replica.begin_session(&response, "https://other.test").unwrap();
    assert_eq!(nora.rows("SELECT id FROM patients").unwrap(), []);
}

#[test]
fn a_query_reads_the_tables_and_does_nothing_else() {
    let mut server = hospital();
    let (mut nora, _) = two_nurses(&mut server);
    let sql = "WITH free AS (SELECT * FROM beds WHERE patient_id IS NULL)
        SELECT count(*) AS n, max(r.room_number) AS room FROM free JOIN rooms AS r ON r.id = free.room_id WHERE r.id <> ?1";
    assert_eq!(nora.replica.query(sql, &[json!("x")]).unwrap()[0]["n"], 2);
    let tables: Vec<_> = nora.replica.tables_of(sql).unwrap().into_iter().collect();
    assert_eq!(tables, ["beds", "rooms"]);
    for refused in [
        "DELETE FROM beds",
        "SELECT value FROM sync_meta",
        "SELECT count(*) FROM sync_outbox",
        "SELECT sql FROM sqlite_schema",
        "PRAGMA foreign_keys = OFF",
        "ATTACH ':memory:' AS other",
        "COMMIT",
        "SELECT * FROM pragma_table_list",
        "SELECT nothing FROM beds",
        "SELECT 1 FROM",
    ] {
        assert_eq!(nora.rows(refused).unwrap_err().code(), "invalid", "{refused}");
    }
    let too_few = nora.replica.query("SELECT ?1", &[]).unwrap_err();
    assert_eq!(too_few.code(), "invalid");
}
