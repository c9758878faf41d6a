//! A hub that cannot start says why.

use holdfast_tests::{
    folder,
    hospital::Hospital,
    server::{Kind, Server},
    ward::{Ward, hub, hub_on},
};

/// A token that no hospital has given.
const STRANGE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Why a server ends that was started like this.
pub(super) fn ends(mut server: Server) -> String {
    server.launch();
    for _ in 0..400 {
        if !server.lives() {
            return server.said();
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("the server goes on: {}", server.said());
}

#[test]
fn a_new_hub_with_a_wrong_token_or_a_wrong_address_ends_and_says_what_to_do() {
    let hospital = Hospital::open(Kind::Sqlite);
    let address = hospital.server.address();
    let said = ends(hub(&address, STRANGE));
    assert!(said.contains("does not know this hub's token"), "{said}");
    assert!(said.contains("sync-server hub add"), "{said}");
    let said = ends(hub(&address, "no token"));
    assert!(said.contains("not 64 hexadecimal digits"), "{said}");
}

#[test]
fn a_store_with_a_hospital_of_its_own_never_becomes_a_hub_and_a_hubs_never_a_hospital() {
    let hospital = Hospital::open(Kind::Sqlite);
    let other = Hospital::open(Kind::Sqlite);
    let mut ward = Ward::open(&hospital, "ward 3");
    let token = other
        .server
        .command(&["hub", "add", "ward 3"])
        .expect("the hub is added");

    // A hospital's server as a hub.
    let own = hospital.server.location();
    let holdfast_server::store::Location::Folder(data) = own else {
        panic!("it is on SQLite")
    };
    let copy = folder::temporary();
    std::fs::copy(data.join("holdfast.sqlite"), copy.path().join("holdfast.sqlite")).expect("the store is copied");
    let server = Server::prepare_with_data_in(copy.path().to_owned());
    let said = ends(hub_on(server, &other.server.address(), &token));
    assert!(said.contains("belongs to a hospital already"), "{said}");

    // A hub as a hospital's server, and in another hospital.
    ward.hub.kill();
    let wrong = ward
        .hub
        .command(&["serve", "--listen", "127.0.0.1:0"])
        .expect_err("it is a hub's");
    assert!(wrong.contains("--upstream"), "{wrong}");
    for command in [
        &["user", "deactivate", "ada"][..],
        &["demo", "--add"],
        &["import", "--from", "nowhere"],
        &["hub", "add", "ward 4"],
    ] {
        let told = ward.hub.command(command).expect_err("it is a hub's");
        assert!(told.contains("hospital's server"), "{command:?}: {told}");
    }
    let file = ward.hub.folder().join("other");
    std::fs::write(&file, token).expect("the token is written");
    let file = file.to_str().expect("a path that is text").to_owned();
    ward.hub
        .set_arguments(&["--upstream", &other.server.address(), "--upstream-token-file", &file]);
    ward.hub.start();
    ward.wait("what is wrong", |hub| {
        hub["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("another hospital"))
    });
    assert_eq!(ward.hub.stream(), hospital.server.stream(), "nothing of it is taken in");
}
