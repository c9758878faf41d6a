//! `POST /v1/push`, when all is well.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use holdfast_core::{
    ids::Seq,
    protocol::{PushOutcome, PushRequest, PushResponse, SnapshotResponse, decode, encode},
};

use crate::support::{Hospital, on_both_stores, users};

on_both_stores! {
    what_one_device_pushes_another_pulls
    a_push_that_is_repeated_gets_the_same_answer
    a_push_may_be_packed
    devices_that_push_at_once_get_places_without_gaps
    a_new_device_gets_everything_in_pages
}

fn what_one_device_pushes_another_pulls(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let before = hospital.stored("patients").0;
    let (row, made) = phone.new_patient("P-1");
    let edited = phone.edit("patients", row, "phone", "555".into());
    let outcomes = phone.push_all(vec![made.transaction.clone(), edited.transaction.clone()]);
    let seqs: Vec<_> = outcomes
        .iter()
        .map(|o| match o {
            PushOutcome::Accepted { seq, .. } => seq.0,
            other => panic!("not accepted: {other:?}"),
        })
        .collect();
    assert_eq!(seqs, [before + 1, before + 2]);

    let tablet = hospital.device(users::ADMIN);
    let pulled = tablet.pull(before, 100);
    let transactions: Vec<_> = pulled.entries.iter().map(|e| e.transaction.clone()).collect();
    assert_eq!(transactions, [made.transaction, edited.transaction]);
    assert_eq!((pulled.cursor, pulled.head), (Seq(before + 2), Seq(before + 2)));
    assert_eq!(hospital.stored("patients"), (before + 2, 1));
}

fn a_push_that_is_repeated_gets_the_same_answer(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (_, good) = phone.new_patient("P-1");
    let (_, bad) = phone.new_patient(&"9".repeat(21));
    let both = vec![good.transaction, bad.transaction];
    let first = phone.push_all(both.clone());
    assert!(matches!(
        first[..],
        [PushOutcome::Accepted { .. }, PushOutcome::Rejected { .. }]
    ));
    let stored = hospital.stored("patients");
    assert_eq!(phone.push_all(both.clone()), first);
    assert_eq!(
        phone.push_all([both.clone(), both].concat()),
        [first.clone(), first].concat()
    );
    assert_eq!(hospital.stored("patients"), stored);
    let kept = hospital.block_on(hospital.store.quarantine(10)).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].user, phone.user);
}

fn a_push_may_be_packed(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    let (_, made) = phone.new_patient("P-1");
    let body = encode(&PushRequest {
        transactions: vec![made.transaction],
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&body).unwrap();
    let answer = phone.send(
        "POST",
        "/v1/push",
        &[("content-encoding", "gzip")],
        &packed.finish().unwrap(),
    );
    let outcomes = decode::<PushResponse>(&answer.body).unwrap().outcomes;
    assert!(matches!(outcomes[..], [PushOutcome::Accepted { .. }]));
}

fn devices_that_push_at_once_get_places_without_gaps(hospital: &Hospital) {
    const EACH: usize = 20;
    let before = hospital.stored("patients").0;
    let work: Vec<_> = (0..4)
        .map(|d| {
            let mut device = hospital.device(users::NURSE);
            let all: Vec<_> = (0..EACH)
                .map(|i| device.new_patient(&format!("P-{d}-{i}")).1.transaction)
                .collect();
            (device, all)
        })
        .collect();
    let places: Vec<u64> = std::thread::scope(|scope| {
        let push = |(device, all): (crate::support::Device, Vec<_>)| {
            scope.spawn(move || {
                all.chunks(5)
                    .flat_map(|some| device.push_all(some.to_vec()))
                    .collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = work.into_iter().map(push).collect();
        let outcomes = threads.into_iter().flat_map(|t| t.join().unwrap());
        outcomes
            .map(|o| match o {
                PushOutcome::Accepted { seq, .. } => seq.0,
                other => panic!("not accepted: {other:?}"),
            })
            .collect()
    });
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (before + 1..=before + 4 * EACH as u64).collect::<Vec<_>>());
    assert_eq!(hospital.stored("patients").1, 4 * EACH as u64);
}

fn a_new_device_gets_everything_in_pages(hospital: &Hospital) {
    let mut phone = hospital.device(users::NURSE);
    for i in 0..5 {
        let (_, made) = phone.new_patient(&format!("P-{i}"));
        assert!(phone.accepted(&made));
    }
    let (mut after, mut documents, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let answer = phone.send("GET", &format!("/v1/snapshot?limit=3{after}"), &[], &[]);
        let page: SnapshotResponse = decode(&answer.body).unwrap();
        assert_eq!(page.total, 8, "three users, five patients");
        assert_eq!(page.actors.is_empty(), pages > 0);
        documents.extend(page.documents.into_iter().map(|d| d.id));
        pages += 1;
        match page.next {
            Some(token) => after = format!("&after={token}"),
            None => break,
        }
    }
    assert_eq!(documents.len(), 8);
    assert!(pages >= 3);
    let bad = phone.send("GET", "/v1/snapshot?after=nonsense", &[], &[]);
    assert_eq!(bad.error(), (400, "malformed".to_owned()));
}
