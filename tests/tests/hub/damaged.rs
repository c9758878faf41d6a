//! A hub whose file is not what was written: it is found, said, and nothing is lost by it.

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use holdfast_server::store::Location;
use holdfast_store::replica::Durability;
use holdfast_tests::{
    hospital::Hospital,
    server::{Kind, Server},
    ward::{Ward, hub, wait, wait_until_passed_on},
};

use crate::{assert_equal_everywhere, device, durability, patient, shown, start::ends};

/// How long a page of a SQLite file is, in bytes; it begins with what the page is.
const SQLITE_PAGE: u64 = 4_096;

fn file(hub: &Server) -> PathBuf {
    let Location::Folder(data) = hub.location() else {
        panic!("a hub is on SQLite")
    };
    data.join("holdfast.sqlite")
}

/// Turns bits over, from this place on.
fn damage(file: &Path, from: u64, length: usize) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(file)
        .expect("the file is there");
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, from).expect("the file is as long");
    for byte in &mut bytes {
        *byte = !*byte;
    }
    file.write_all_at(&bytes, from).expect("the file can be written");
}

fn tamper(hub: &Server, sql: &str) {
    let connection = rusqlite::Connection::open(file(hub)).expect("the file opens");
    assert_eq!(connection.execute(sql, []), Ok(1), "{sql}");
}

#[test]
fn verify_holds_a_hubs_copy_against_its_log_with_and_without_work_on_its_way() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let mut ward = Ward::open(&hospital, "ward 3");
    let mut nurse = device(&mut hospital, &ward, "nora");
    patient(&mut nurse, "V-1");
    nurse.sync();
    ward.wait_until_passed_on();
    ward.hub.verify().expect("nothing is on its way");

    ward.cut_off();
    patient(&mut nurse, "V-2");
    let edited = nurse.text("SELECT id FROM patients WHERE patient_number = 'V-1'");
    let change = serde_json::json!({ "table": "patients", "id": edited, "values": { "phone": "1" } });
    nurse.run("editRow", change);
    nurse.sync();
    let said = ward
        .hub
        .command(&["verify"])
        .expect("what is on its way is no difference");
    assert!(said.contains("2 transactions are on their way"), "{said}");
    let said = ward.hub.command(&["verify", "--json"]).expect("the same");
    assert!(said.contains(r#""relayed":2"#), "{said}");

    // A document that is on its way, and one that is not; then a row.
    tamper(
        &ward.hub,
        "UPDATE sync_base SET state = (SELECT min(state) FROM sync_documents) WHERE length(state) =
        (SELECT max(length(state)) FROM sync_base)",
    );
    let said = ward.hub.verify().expect_err("the base is not what the log says");
    assert!(said.contains("documents"), "{said}");
    ward.line.mend();
    ward.hub.kill();
}

#[test]
fn verify_tells_of_a_row_in_a_hubs_tables_that_its_log_does_not_make() {
    let hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    tamper(
        &ward.hub,
        "UPDATE rooms SET room_number = '102' WHERE room_number = '101'",
    );
    let said = ward.hub.verify().expect_err("the table is not what the log says");
    assert!(said.contains("rooms") && said.contains("102"), "{said}");
}

#[test]
fn a_hub_with_a_damaged_file_says_so_and_a_new_one_gets_everything_back_from_the_devices() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let mut ward = Ward::open(&hospital, "ward 3");
    let mut nurse = device(&mut hospital, &ward, "nora");
    ward.cut_off();
    let id = patient(&mut nurse, "D-1");
    nurse.sync();
    assert_eq!(durability(&nurse, id), Some(Durability::Hub));

    // Bits turn over in the middle: found by `verify`.
    ward.hub.stop();
    let path = file(&ward.hub);
    let length = path.metadata().expect("the file is there").len();
    for part in 2..8 {
        damage(&path, length * part / 10 / SQLITE_PAGE * SQLITE_PAGE, 64);
    }
    let said = ward.hub.verify().expect_err("the file is damaged");
    assert!(said.contains("file       damaged"), "{said}");
    // And at its beginning: the hub does not start.
    damage(&path, 0, 32);
    let said = ends(std::mem::replace(&mut ward.hub, Server::prepare(Kind::Sqlite)));
    assert!(said.contains("file is damaged"), "{said}");
    assert!(said.contains("start it on an empty one"), "what to do: {said}");

    // The way back: an empty folder, with the same token.
    ward.line.mend();
    hospital
        .server
        .command(&["hub", "revoke", "ward 3"])
        .expect("the hub is locked out");
    let token = hospital
        .server
        .command(&["hub", "add", "ward 3"])
        .expect("the hub is added");
    ward.hub = hub(&ward.line.address(), &token);
    ward.hub.start();
    nurse.server = ward.address();
    nurse.sync();
    wait(&ward.hub, "the link", |hub| hub["link"] == "up");
    wait_until_passed_on(&ward.hub);
    nurse.sync();
    assert_eq!(
        durability(&nurse, id),
        Some(Durability::Hospital),
        "it was on the device, too"
    );
    assert_eq!(shown(&mut nurse, "D-1"), 1);
    assert_equal_everywhere(&hospital, &ward, &[&nurse]);
}
