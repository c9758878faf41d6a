//! The hospital's stream comes to the hub.

use holdfast_core::{ids::Seq, protocol::PullResponse};
use holdfast_store::{
    StoreError,
    testing::{Answer, TestServer},
};
use serde_json::json;

use crate::{
    ward::{ANNA, BERT, edit},
    world::{same, settle, ward},
};

fn page(hub: &TestServer, centre: &TestServer) -> (Seq, PullResponse) {
    match hub.ask_page(centre).unwrap() {
        Answer::Page(after, page) => (after, page),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages_that_come_twice_late_or_never_do_no_harm() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", BERT, json!({ "phone": "0" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    for n in 0..7 {
        nils.run("editRow", edit("patients", ANNA, json!({ "phone": n.to_string() })))
            .unwrap();
    }
    nils.sync(&mut centre).unwrap();
    centre.pull_page = 3;
    let mut seen: Vec<Answer> = Vec::new();
    loop {
        // Lost.
        hub.ask_page(&centre).unwrap();
        let answer = hub.ask_page(&centre).unwrap();
        let in_step = hub.take_answer(&answer).unwrap();
        seen.push(answer);
        let before = hub.state().unwrap();
        for old in &seen {
            hub.take_answer(old).unwrap();
        }
        same(&hub.state().unwrap(), &before, "the hub after the same again");
        if in_step {
            break;
        }
    }
    assert_eq!(seen.len(), 3);
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
}

#[test]
fn what_is_no_page_of_the_stream_is_not_taken_in() {
    let (mut centre, mut hub, _, mut nils) = ward();
    for n in 0..3 {
        nils.run("editRow", edit("patients", ANNA, json!({ "phone": n.to_string() })))
            .unwrap();
    }
    nils.sync(&mut centre).unwrap();
    let (after, good) = page(&hub, &centre);
    let now = hub.clock.now();
    let before = hub.state().unwrap();
    let mut refuse = |spoil: &dyn Fn(&mut PullResponse)| {
        let mut bad = good.clone();
        spoil(&mut bad);
        let refused = hub.store.follow(after, &bad, now);
        assert!(matches!(refused, Err(StoreError::Upstream(_))), "{refused:?}");
    };
    refuse(&|page| drop(page.entries.remove(0)));
    refuse(&|page| drop(page.entries.remove(1)));
    refuse(&|page| page.entries.swap(0, 1));
    refuse(&|page| page.entries.clear());
    refuse(&|page| page.head = after.next());
    refuse(&|page| page.entries[1].transaction.body = vec![0xff].into());
    same(&hub.state().unwrap(), &before, "the hub");
    assert!(hub.store.follow(after, &good, now).unwrap().in_step);
}

#[test]
fn another_checksum_at_the_hospital_is_told_once_an_hour() {
    let (mut centre, mut hub, mut nora, mut nils) = ward();
    nora.run("editRow", edit("patients", BERT, json!({ "phone": "0" })))
        .unwrap();
    nora.sync(&mut hub).unwrap();
    hub.spoil("UPDATE sync_meta SET value = zeroblob(64) WHERE key = 'checksums'")
        .unwrap();
    let (after, answer) = page(&hub, &centre);
    let now = hub.clock.now();
    let followed = hub.store.follow(after, &answer, now).unwrap();
    assert!(followed.in_step && followed.differs);
    assert!(!hub.store.follow(after, &answer, now).unwrap().differs, "told already");
    hub.store.diverged().unwrap();
    assert!(hub.store.hub().unwrap().unwrap().copying);
    hub.follow(&centre).unwrap();
    settle(&mut centre, &mut hub, &mut [&mut nora], &mut [&mut nils]);
}
