//! Devices push to several servers at once.

use std::collections::BTreeSet;

use holdfast_core::{ids::Seq, protocol::PushOutcome, row::RowWrite};
use holdfast_server::store::{Store, Submission};
use holdfast_tests::{
    maker::Maker,
    writes::{create, edit},
};
use serde_json::json;

use super::{Stand, beside, department, later, postgres, row, take};

const BEDS: u128 = 12;
const ROOM: u128 = 1;

fn bed(n: u128) -> u128 {
    100 + n
}

/// Two patients for each bed.
fn patient(bed: u128, side: u128) -> u128 {
    1_000 + 2 * bed + side
}

fn ward() -> Vec<RowWrite> {
    let mut writes = vec![create("rooms", row(ROOM), &json!({ "room_number": "1" }))];
    for n in 0..BEDS {
        let values = json!({ "bed_number": n.to_string(), "room_id": row(ROOM).to_string(), "status": "available" });
        writes.push(create("beds", row(bed(n)), &values));
        for side in 0..2 {
            let values = json!({ "patient_number": format!("P-{n}-{side}"), "first_name": "A", "last_name": "B",
                "date_of_birth": "1980-05-05" });
            writes.push(create("patients", row(patient(n, side)), &values));
        }
    }
    writes
}

/// One admission into each bed, made before anybody else's was seen.
async fn admissions(store: &Store, side: u128) -> Vec<Submission> {
    let mut maker = Maker::new(10 + side as u64);
    let mut made = Vec::new();
    for n in 0..BEDS {
        let values = json!({ "patient_id": row(patient(n, side)).to_string(), "status": "occupied" });
        made.push(maker.make(store, &[edit("beds", row(bed(n)), &values)]).await);
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beds_given_away_on_two_servers_at_once_are_settled_once_in_stream_order() {
    let stand = Stand::postgres().await;
    let servers = [stand.store.clone(), beside(&stand).await];
    stand.write(&mut Maker::new(1), &ward()).await;
    let mut pushing = tokio::task::JoinSet::new();
    for (side, server) in (0_u128..).zip(&servers) {
        let (server, made) = (server.clone(), admissions(server, side).await);
        pushing.spawn(async move {
            let mut places = Vec::new();
            for (n, submission) in (0_u128..).zip(made) {
                places.push(((n, side), take(&server, submission).await));
            }
            places
        });
    }
    let places: Vec<((u128, u128), Seq)> = pushing.join_all().await.into_iter().flatten().collect();

    let all = 1 + 2 * BEDS as u64;
    assert_eq!(
        stand.seqs().await,
        (1..=all).collect::<Vec<_>>(),
        "one stream without gaps"
    );
    for n in 0..BEDS {
        let first = places
            .iter()
            .filter(|((bed, _), _)| *bed == n)
            .min_by_key(|(_, seq)| *seq);
        let ((_, side), _) = first.unwrap();
        let holder = stand
            .text(&format!("SELECT patient_id FROM beds WHERE id = '{}'", row(bed(n))))
            .await;
        assert_eq!(
            holder,
            Some(row(patient(n, *side)).to_string()),
            "bed {n} is the first's"
        );
    }
    assert_eq!(stand.conflicts().await, vec!["claim beds.patient_id 2"; BEDS as usize]);
    let report = stand.verify().await;
    // The makers never signed in: their keys are not known.
    let other: Vec<_> = report.differences.iter().filter(|d| d.table != "log").collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_push_sent_to_two_servers_at_once_is_taken_once() {
    const PUSHES: u128 = 25;
    let stand = Stand::postgres().await;
    let servers = [stand.store.clone(), beside(&stand).await];
    let mut maker = Maker::new(1);
    for n in 1..=PUSHES {
        let submission = maker.make(&stand.store, &[department(n)]).await;
        let mut pushing = tokio::task::JoinSet::new();
        for server in &servers {
            let (server, submission) = (server.clone(), submission.clone());
            pushing.spawn(async move { take(&server, submission).await });
        }
        let places: BTreeSet<Seq> = pushing.join_all().await.into_iter().collect();
        assert_eq!(places, BTreeSet::from([Seq(n as u64)]), "both say the same place");
    }
    assert_eq!(stand.seqs().await, (1..=PUSHES as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_waits_at_one_server_follows_what_it_waits_for_at_the_other() {
    let (elsewhere, stand) = (Stand::sqlite().await, Stand::postgres().await);
    let there = beside(&stand).await;
    let mut maker = Maker::new(1);
    let mut made = Vec::new();
    for write in [department(1), edit("departments", row(1), &json!({ "phone": "1" }))] {
        let submission = maker.make(&elsewhere.store, &[write]).await;
        elsewhere.take(submission.clone()).await;
        made.push(submission);
    }
    let mut heads = postgres(&stand.store).heads();
    assert_eq!(heads.next(Seq(0)).await.unwrap(), Seq(0));
    let waits = stand.accept(vec![made[1].clone()]).await;
    assert!(matches!(waits[..], [PushOutcome::Waiting { .. }]), "{waits:?}");
    let taken = there.accept(vec![made[0].clone()], later(1)).await.unwrap();
    assert!(
        matches!(taken[..], [PushOutcome::Accepted { seq: Seq(1), .. }]),
        "{taken:?}"
    );
    assert_eq!(heads.next(Seq(0)).await.unwrap(), Seq(2), "both are told of together");
    assert_eq!(stand.store.waiting().await.unwrap().transactions, 0);
}
