//! What makes a store a hub's, and what is refused there.

use holdfast_core::protocol::PushOutcome;
use holdfast_store::{
    ServerStore, StoreError,
    testing::{Clock, Device, TestServer},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    ward::{ANNA, edit, hospital, id},
    world::{relayed, submissions, ward},
};

#[test]
fn only_an_empty_store_becomes_a_hubs_and_stays_one() {
    let mut centre = hospital();
    let other = Uuid::from_u128(7);
    assert!(matches!(centre.store.become_hub(other), Err(StoreError::NotEmpty)));
    assert!(centre.store.hub().unwrap().is_none());

    let mut hub = ServerStore::in_memory(Clock::default().host(1)).unwrap();
    let hospital = centre.store.hospital_id().unwrap();
    let named = hub.become_hub(hospital).unwrap();
    assert_eq!(hub.hospital_id().unwrap(), hospital);
    assert_eq!(hub.become_hub(hospital).unwrap(), named, "it is one already");
    assert!(matches!(hub.become_hub(other), Err(StoreError::NotEmpty)));
    let known = hub.hub().unwrap().unwrap();
    assert_eq!(known.id, named);
    assert!(known.copying, "nothing is copied yet");
}

#[test]
fn a_hub_writes_nothing_in_the_servers_name_and_a_centre_relays_nothing() {
    let (mut centre, mut hub, mut nora, _) = ward();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    let given = submissions(&mut nora);
    let now = centre.clock.now();
    assert!(matches!(hub.store.accept(&given, now), Err(StoreError::IsHub)));
    assert!(matches!(hub.store.server_key(), Err(StoreError::IsHub)));
    assert!(matches!(
        hub.import("departments", id(0x99), &json!({ "name": "X" })),
        Err(StoreError::IsHub)
    ));
    assert!(matches!(centre.store.relay(&given, now), Err(StoreError::NotHub)));
    assert!(matches!(centre.store.to_push(now, 1, 1), Err(StoreError::NotHub)));
    assert!(matches!(
        centre.store.take_outcomes(&[], &[], now),
        Err(StoreError::NotHub)
    ));
    assert!(matches!(centre.store.diverged(), Err(StoreError::NotHub)));
    assert!(
        centre
            .store
            .devices()
            .unwrap()
            .iter()
            .any(|(device, _)| device.name == "server")
    );
}

#[test]
fn until_the_hospital_is_copied_devices_are_told_to_come_back() {
    let mut centre = hospital();
    let mut nora = Device::new(&mut centre, 10, "nora").unwrap();
    let mut hub = TestServer::hub(&centre, 500).unwrap();
    hub.take_access(&mut centre).unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    let given = submissions(&mut nora);
    let now = centre.clock.now();
    assert!(matches!(hub.store.relay(&given, now), Err(StoreError::Copying)));
    nora.sync(&mut hub).unwrap();
    assert!(nora.replica.status().unwrap().problem.is_some());
    hub.exchange(&mut centre).unwrap();
    nora.sync(&mut hub).unwrap();
    assert_eq!(nora.replica.status().unwrap().problem, None);
    assert_eq!(relayed(&hub).len(), 1);
}

#[test]
fn the_same_twice_is_answered_the_same_and_another_under_its_name_is_refused() {
    let (_, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    let given = submissions(&mut nora);
    let now = hub.clock.now();
    let first = hub.store.relay(&given, now).unwrap();
    assert!(matches!(first[..], [PushOutcome::Relayed { .. }]));
    assert_eq!(hub.store.relay(&given, now).unwrap(), first);
    assert_eq!(hub.store.relay_count().unwrap().transactions, 1);

    nils.run("editRow", edit("patients", ANNA, json!({ "phone": "2" })))
        .unwrap();
    let mut others = submissions(&mut nils);
    others[0].opened.body.id = given[0].opened.body.id;
    let outcomes = hub.store.relay(&others, now).unwrap();
    assert!(
        matches!(&outcomes[..], [PushOutcome::Rejected { code, .. }] if code == "id_taken"),
        "{outcomes:?}"
    );
    assert_eq!(hub.store.relay_count().unwrap().transactions, 1);
}
