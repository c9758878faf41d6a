//! A hub that is killed, and a hospital's server that was put back to a backup.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use holdfast_server::store::Location;
use holdfast_tests::{
    dice::Dice,
    folder,
    hospital::Hospital,
    server::{Kind, Server},
    ward::Ward,
};

use crate::{all_arrives, assert_equal_everywhere, device, patient, shown};

const KILLS: usize = 12;

const FILE: &str = "holdfast.sqlite";

fn data(server: &Server) -> PathBuf {
    match server.location() {
        Location::Folder(data) => data,
        Location::Database(_) => panic!("it is on SQLite"),
    }
}

/// A backup of a server's data while it runs.
fn copy(server: &Server, folder: &Path) {
    let connection = rusqlite::Connection::open(data(server).join(FILE)).expect("the store opens");
    let to = folder.join(FILE);
    let done = connection.execute("VACUUM INTO ?1", [to.to_str().expect("a path that is text")]);
    done.expect("the store is copied");
}

/// Puts the backup in the place of the data of a server that does not run.
fn put_back(server: &Server, folder: &Path) {
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(data(server).join(format!("{FILE}{end}"))).ok();
    }
    std::fs::copy(folder.join(FILE), data(server).join(FILE)).expect("the backup is put back");
}

#[test]
fn a_hub_that_is_killed_while_it_relays_loses_and_doubles_nothing() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let mut ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    let (mut made, mut dice) = (0, Dice::new(5));
    for kill in 0..KILLS {
        // Every other time the line is there, and the hub is killed while it pushes and follows.
        if kill % 2 == 0 {
            ward.line.cut();
        } else {
            ward.line.mend();
        }
        for _ in 0..5 {
            patient(&mut nora, &format!("K-{made}"));
            made += 1;
        }
        nora.sync();
        std::thread::sleep(Duration::from_millis(dice.below(60) as u64));
        ward.hub.kill();
        ward.hub.start();
    }
    ward.line.mend();
    all_arrives(&ward, &mut [&mut nora]);
    for number in 0..made {
        assert_eq!(shown(&mut nora, &format!("K-{number}")), 1, "{number}");
    }
    assert_equal_everywhere(&hospital, &ward, &[&nora]);
}

#[test]
fn a_hub_that_is_killed_during_its_first_copy_goes_on_where_it_was() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let mut ward = Ward::prepare(&hospital, "ward 3");
    for _ in 0..3 {
        ward.hub.launch();
        std::thread::sleep(Duration::from_millis(150));
        ward.hub.kill();
    }
    ward.hub.start();
    let nora = device(&mut hospital, &ward, "nora");
    assert_equal_everywhere(&hospital, &ward, &[&nora]);
}

#[test]
fn after_the_hospital_was_put_back_to_a_backup_hub_and_devices_copy_it_anew_and_give_back_what_they_did() {
    let mut hospital = Hospital::open(Kind::Sqlite);
    let ward = Ward::open(&hospital, "ward 3");
    let mut nora = device(&mut hospital, &ward, "nora");
    let backup = folder::temporary();
    copy(&hospital.server, backup.path());
    patient(&mut nora, "B-1");
    all_arrives(&ward, &mut [&mut nora]);
    ward.cut_off();
    patient(&mut nora, "B-2");
    nora.sync();

    hospital.server.kill();
    put_back(&hospital.server, backup.path());
    hospital.server.start();
    let mut office = hospital.device("ada");
    patient(&mut office, "B-3");
    office.sync();
    ward.line.mend();
    ward.wait("the new copy", |hub| hub["link"] == "up");
    all_arrives(&ward, &mut [&mut nora, &mut office]);
    for number in ["B-1", "B-2", "B-3"] {
        assert_eq!(shown(&mut nora, number), 1, "{number}");
        assert_eq!(shown(&mut office, number), 1, "{number}");
    }
    assert_equal_everywhere(&hospital, &ward, &[&nora, &office]);
}
