//! `sync-server verify` as operators and their programs run it.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use std::process::{Command, Output};

use holdfast_server::{
    demo::{self, Size},
    store::Store,
};
use support::{Database, Folder, block_on};

fn verify(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sync-server"))
        .arg("verify")
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn fill(location: &holdfast_server::store::Location) {
    let options = demo::Options {
        size: Size::LEAST,
        seed: 3,
        add: false,
    };
    block_on(async {
        let store = Store::open(location).await.unwrap();
        demo::fill(&store, options, |_| ()).await.unwrap();
    });
}

#[test]
fn exit_status_and_json_tell_a_sound_store_from_another() {
    let folder = Folder::create();
    fill(&folder.location());
    let data = ["--data", folder.0.to_str().unwrap()];
    let sound = verify(&data);
    assert_eq!(sound.status.code(), Some(0), "{}", said(&sound));
    assert!(
        said(&sound).contains("The store is what its log says."),
        "{}",
        said(&sound)
    );

    let connection = rusqlite::Connection::open(folder.0.join("holdfast.sqlite")).unwrap();
    connection.execute("UPDATE beds SET notes = 'by hand'", []).unwrap();
    let tampered = verify(&[&data[..], &["--limit", "3"]].concat());
    assert_eq!(tampered.status.code(), Some(1), "{}", said(&tampered));
    assert!(
        said(&tampered).contains("by hand, and the log says"),
        "{}",
        said(&tampered)
    );
    assert!(said(&tampered).contains("… and 17 more in beds"), "{}", said(&tampered));

    let json = verify(&[&data[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&said(&json)).unwrap();
    assert_eq!(json["passed"], false);
    assert_eq!(json["counts"]["beds"], 20);
    assert_eq!(json["differences"][0]["table"], "beds");
    assert_eq!(json["differences"][0]["column"], "notes");
    assert_eq!(json["differences"][0]["kind"], "different");
}

#[test]
fn a_demo_hospital_on_postgresql_is_what_its_log_says() {
    let database = Database::create();
    fill(&database.location());
    let output = verify(&["--database", &database.url()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn what_cannot_be_verified_is_neither_sound_nor_tampered_with() {
    let folder = Folder::create();
    let output = verify(&["--data", folder.0.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no Holdfast in"));
    let database = Database::create();
    let output = verify(&["--database", &database.url()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
