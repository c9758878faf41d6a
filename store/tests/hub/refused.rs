//! What the hospital's server refuses of what a hub relays.

use holdfast_core::{
    ids::TransactionId,
    policy::Role,
    protocol::{PushOutcome, RelayEvent},
};
use holdfast_store::{
    hub::RelayPlace,
    testing::{Answer, Device, TestServer},
};
use serde_json::json;

use crate::{
    ward::{ANNA, BERT, CLEO, cell, edit, hospital, id, two_nurses},
    world::{in_log, relayed, settle, states, ward},
};

/// At the hospital Nora becomes somebody who writes nothing, and the hub does not know yet.
fn demote_nora(centre: &mut TestServer) {
    let mut mira = Device::new(centre, 90, "mira").unwrap();
    mira.run("editRow", edit("users", id(0x11), json!({ "role": "auditor" })))
        .unwrap();
    mira.sync(centre).unwrap();
}

fn ids(events: &[RelayEvent]) -> Vec<TransactionId> {
    events.iter().map(|event| event.id).collect()
}

#[test]
fn what_is_refused_is_taken_back_with_what_builds_on_it_and_the_rest_stays() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    let refused = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap()
        .transaction_id;
    nora.sync(&mut hub).unwrap();
    nils.sync(&mut hub).unwrap();
    let built_on_it = nils
        .run("editRow", edit("patients", ANNA, json!({ "email": "a@home.test" })))
        .unwrap()
        .transaction_id;
    let other = nils
        .run("editRow", edit("patients", BERT, json!({ "phone": "2" })))
        .unwrap()
        .transaction_id;
    nils.sync(&mut hub).unwrap();
    let before = hub.store.relayed(None, Role::Nurse, 100, 1 << 20).unwrap();
    assert_eq!(ids(&before.events), [refused, built_on_it, other]);

    demote_nora(&mut centre);
    let answer = hub.ask_push(&mut centre).unwrap().unwrap();
    hub.take_answer(&answer).unwrap();
    let quarantine = hub.store.quarantine(10).unwrap();
    assert_eq!(quarantine.len(), 2);
    let verdict = |id| quarantine.iter().find(|one| one.id == id).unwrap();
    assert!(verdict(refused).reason.contains("your role may not write"));
    assert_eq!(verdict(built_on_it).code, "unknown_dependency");
    assert_eq!(ids(&relayed(&hub)), [other], "accepted, and not yet in the stream here");
    let since = RelayPlace {
        list: before.list,
        place: before.place,
    };
    let told = hub.store.relayed(Some(since), Role::Nurse, 100, 1 << 20).unwrap();
    assert_eq!(told.after, before.place);
    assert_eq!(ids(&told.events), [refused, built_on_it]);
    assert!(told.events.iter().all(|event| event.transaction.is_none()));

    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils], &mut []);
    assert_eq!(states(&nora), ["rejected"]);
    assert_eq!(cell(&mut nora, "patients", BERT, "phone"), "2");
    assert_eq!(cell(&mut nora, "patients", ANNA, "phone"), json!(null));
}

#[test]
fn who_waits_at_the_hub_for_what_is_refused_is_refused_too() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    // Nora's work is known to Nils through the hub, and its own second part has not come.
    nora.run("editRow", edit("patients", CLEO, json!({ "phone": "1" })))
        .unwrap();
    let first = crate::world::submissions(&mut nora);
    nora.run("editRow", edit("patients", CLEO, json!({ "phone": "2" })))
        .unwrap();
    let both = crate::world::submissions(&mut nora);
    let now = hub.clock.now();
    let waits = hub.store.relay(&both[1..], now).unwrap();
    assert!(matches!(waits[..], [PushOutcome::Waiting { .. }]), "{waits:?}");
    let comes = hub.store.relay(&first, now).unwrap();
    assert!(matches!(comes[..], [PushOutcome::Relayed { .. }]), "{comes:?}");
    assert_eq!(hub.store.relay_count().unwrap().transactions, 2, "it waits no longer");
    assert_eq!(hub.store.waiting().unwrap().transactions, 0);
    demote_nora(&mut centre);
    hub.exchange(&mut centre).unwrap();
    assert_eq!(hub.store.quarantine(10).unwrap().len(), 2);
    let again = hub.store.relay(&both, now).unwrap();
    assert!(
        again.iter().all(|o| matches!(o, PushOutcome::Rejected { .. })),
        "{again:?}"
    );
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
}

#[test]
fn a_hub_that_refused_what_the_hospital_took_takes_it_from_the_stream() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    demote_nora(&mut centre);
    hub.exchange(&mut centre).unwrap();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    let given = crate::world::submissions(&mut nora);
    let mut judged = given.clone();
    judged[0].role = Role::Auditor;
    let now = hub.clock.now();
    hub.store.relay(&judged, now).unwrap();
    assert_eq!(hub.store.quarantine(10).unwrap().len(), 1);
    // The hospital had another opinion of her role then.
    centre.store.accept(&given, now).unwrap();
    hub.exchange(&mut centre).unwrap();
    assert!(hub.store.quarantine(10).unwrap().is_empty());
    let again = hub.store.relay(&given, now).unwrap();
    assert!(matches!(again[..], [PushOutcome::Accepted { .. }]), "{again:?}");
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
}

#[test]
fn who_waits_at_the_hub_is_taken_when_the_stream_brings_it() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", CLEO, json!({ "phone": "1" })))
        .unwrap();
    nora.run("editRow", edit("patients", CLEO, json!({ "phone": "2" })))
        .unwrap();
    let both = crate::world::submissions(&mut nora);
    let now = hub.clock.now();
    hub.store.relay(&both[1..], now).unwrap();
    assert_eq!(hub.store.waiting().unwrap().transactions, 1);
    centre.store.accept(&both, now).unwrap();
    hub.follow(&centre).unwrap();
    assert_eq!(hub.store.waiting().unwrap().transactions, 0);
    assert_eq!(hub.store.relay_count().unwrap().transactions, 0);
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
}

#[test]
fn another_transaction_of_the_same_name_in_the_stream_displaces_what_is_relayed() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    let mut given = crate::world::submissions(&mut nora);
    nils.run("editRow", edit("patients", BERT, json!({ "phone": "2" })))
        .unwrap();
    let others = crate::world::submissions(&mut nils);
    // Signed by a device that gives a name twice.
    let id = others[0].opened.body.id;
    given[0].opened.body.id = id;
    given[0].transaction.body = minicbor::to_vec(&given[0].opened.body).unwrap().into();
    let now = hub.clock.now();
    hub.store.relay(&given, now).unwrap();
    centre.store.accept(&others, now).unwrap();
    hub.follow(&centre).unwrap();
    assert_eq!(hub.store.relay_count().unwrap().transactions, 0);
    let quarantine = hub.store.quarantine(10).unwrap();
    assert_eq!(quarantine.len(), 1);
    assert_eq!((quarantine[0].id, quarantine[0].code.as_str()), (id, "id_taken"));
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
}

/// A hospital whose server was put back to a time before Nora's device had been there, its hub, and what she did at the hub.
fn forgotten() -> (TestServer, TestServer, Device, TransactionId) {
    let mut centre = hospital();
    let backup = centre.disk().unwrap();
    let (mut nora, _) = two_nurses(&mut centre);
    let mut hub = TestServer::hub(&centre, 500).unwrap();
    hub.exchange(&mut centre).unwrap();
    let made = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    let centre = TestServer::start(&backup, centre.clock.clone(), 700).unwrap();
    (centre, hub, nora, made.transaction_id)
}

/// The hub pushes what the hospital's server cannot judge, for it does not know the device.
fn push_in_vain(hub: &mut TestServer, centre: &mut TestServer, id: TransactionId) {
    let answer = hub.ask_push(centre).unwrap().unwrap();
    let Answer::Outcomes(_, outcomes) = &answer else {
        panic!("{answer:?}");
    };
    assert_eq!(*outcomes, [PushOutcome::Later { id, missing: 0 }]);
    hub.take_answer(&answer).unwrap();
    assert!(hub.ask_push(centre).unwrap().is_none(), "not again at once");
}

#[test]
fn what_a_forgotten_device_made_waits_at_the_hub_until_it_has_signed_in_again() {
    let (mut centre, mut hub, mut nora, id) = forgotten();
    push_in_vain(&mut hub, &mut centre, id);
    assert_eq!(hub.store.relay_count().unwrap().transactions, 1);
    nora.sign_in(&mut centre, "nora").unwrap();
    hub.take_access(&mut centre).unwrap();
    centre.clock.pass(11);
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut []);
    assert_eq!(in_log(&centre, id), 1);
    assert_eq!(states(&nora), [""; 0]);
}

#[test]
fn what_a_device_made_that_stays_forgotten_is_refused_after_a_month() {
    refused_after_a_month(0);
}

#[test]
fn a_month_is_a_month_though_the_hubs_clock_was_a_year_ahead() {
    refused_after_a_month(365);
}

/// `ahead`: so many days the clock was wrong when it came to the hub.
fn refused_after_a_month(ahead: i64) {
    let (mut centre, mut hub, mut nora, id) = forgotten();
    hub.clock.jump(-ahead * 1_440 * 60_000_000);
    push_in_vain(&mut hub, &mut centre, id);
    centre.clock.pass(31 * 1_440);
    push_in_vain(&mut hub, &mut centre, id);
    assert_eq!(hub.store.relay_count().unwrap().transactions, 0);
    let quarantine = hub.store.quarantine(10).unwrap();
    assert_eq!(quarantine[0].code, "wrong_device");
    nora.sync(&mut hub).unwrap();
    assert_eq!(states(&nora), ["rejected"]);
}
