//! Servers that are put back to a backup.

use holdfast_store::{
    replica::Durability,
    testing::{Answer, Device, TestServer},
};
use serde_json::json;

use crate::{
    ward::{ANNA, BERT, CLEO, cell, edit},
    world::{in_log, settle, ward},
};

#[test]
fn a_hub_that_is_put_back_gets_its_work_again() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    let backup = hub.disk().unwrap();
    let made = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    nils.sync(&mut hub).unwrap();
    nils.run("editRow", edit("patients", BERT, json!({ "phone": "2" })))
        .unwrap();
    nils.sync(&mut centre).unwrap();
    let mut hub = TestServer::start(&backup, centre.clock.clone(), 600).unwrap();
    nora.sync(&mut hub).unwrap();
    nora.sync(&mut hub).unwrap();
    // The hub's list is another: what it lost is asked about again at the latest the next day.
    centre.clock.pass(25 * 60);
    settle(&mut centre, &mut hub, &mut [&mut nora, &mut nils], &mut []);
    assert_eq!(in_log(&centre, made.transaction_id), 1);
}

#[test]
fn a_hospital_that_is_put_back_is_copied_anew_and_gets_what_was_on_its_way() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
    let backup = centre.disk().unwrap();
    let lost = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    let lost_too = nils
        .run("editRow", edit("patients", CLEO, json!({ "phone": "3" })))
        .unwrap();
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
    // Builds on what is lost.
    let relayed = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "2" })))
        .unwrap();
    let other = nora
        .run("editRow", edit("patients", BERT, json!({ "phone": "2" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    let mut centre = TestServer::start(&backup, centre.clock.clone(), 700).unwrap();
    assert!(matches!(hub.ask_page(&centre).unwrap(), Answer::Diverged));
    hub.take_answer(&Answer::Diverged).unwrap();
    assert!(hub.store.hub().unwrap().unwrap().copying);
    nora.sync(&mut hub).unwrap();
    assert!(nora.replica.status().unwrap().problem.is_some(), "come back later");
    let name = lost.transaction_id;
    let shown = |device: &Device| device.replica.durability(name).unwrap();
    assert_eq!(shown(&nora), Some(Durability::Hospital), "nobody could tell her yet");
    hub.follow(&centre).unwrap();
    assert!(!hub.store.hub().unwrap().unwrap().copying);
    assert_eq!(hub.store.relay_count().unwrap().transactions, 2);
    assert_eq!(hub.store.relay_count().unwrap().unanswered, 2);
    let mut seen = Vec::new();
    for _ in 0..3 {
        nora.sync(&mut hub).unwrap();
        seen.push(shown(&nora));
        nils.sync(&mut centre).unwrap();
        hub.exchange(&mut centre).unwrap();
    }
    // As long as the stream at the hub ends before her place, what she knows may come to the hub yet.
    assert_eq!(seen[0], Some(Durability::Hospital));
    assert!(
        matches!(seen[1..], [Some(Durability::Device | Durability::Hub), ..]),
        "then what the hospital lost is shown as not there: {seen:?}"
    );
    centre.clock.pass(25 * 60);
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
    for made in [lost, lost_too, relayed, other] {
        assert_eq!(in_log(&centre, made.transaction_id), 1, "{made:?}");
    }
    assert_eq!(cell(&mut nils, "patients", ANNA, "phone"), "2");
    assert_eq!(shown(&nora), Some(Durability::Hospital));
}

#[test]
fn a_copy_that_dies_goes_on_after_a_restart() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", BERT, json!({ "phone": "2" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    centre.pull_page = 5;
    hub.store.diverged().unwrap();
    hub.take_answer(&hub.ask_page(&centre).unwrap()).unwrap();
    let mut hub = hub.restart(601).unwrap();
    assert!(hub.store.hub().unwrap().unwrap().copying);
    hub.follow(&centre).unwrap();
    assert_eq!(hub.store.relay_count().unwrap().transactions, 1);
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
    assert_eq!(cell(&mut nils, "patients", BERT, "phone"), "2");
}

/// The device that made it is lost, and the hospital is quiet: nothing comes to the place that was given to it.
#[test]
fn what_a_hospital_took_and_lost_is_pushed_again_though_its_stream_stands_still() {
    let (mut centre, mut hub, mut nora, _) = ward();
    let backup = centre.disk().unwrap();
    let made = nora
        .run("editRow", edit("patients", ANNA, json!({ "phone": "1" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    let answer = hub.ask_push(&mut centre).unwrap().unwrap();
    hub.take_answer(&answer).unwrap();
    let mut centre = TestServer::start(&backup, centre.clock.clone(), 700).unwrap();
    for _ in 0..2 {
        hub.exchange(&mut centre).unwrap();
    }
    assert_eq!(in_log(&centre, made.transaction_id), 1);
    assert_eq!(hub.store.relay_count().unwrap().transactions, 0);
}
