//! A device makes a command into a transaction again when what it was built on is refused. A backup of the device may know only
//! an earlier one: the stream has one of them.

use holdfast_core::{
    ids::{Seq, TransactionId},
    protocol::PushOutcome,
    transaction::Transaction,
};
use holdfast_server::store::Submission;
use holdfast_tests::{
    maker::Maker,
    stand::Stand,
    writes::{create, edit},
};
use serde_json::json;

crate::on_both_stores! {
    a_command_is_in_the_stream_once_whichever_of_its_transactions_comes_first
    a_command_comes_once_though_two_of_its_transactions_come_in_one_push
    a_name_given_twice_in_one_push_is_refused_whatever_its_first_name
    what_waits_is_refused_when_its_command_was_done_meanwhile
    another_device_cannot_take_a_command_away
}

/// The same command, made into a transaction three times.
async fn thrice(stand: &Stand, maker: &mut Maker) -> [Submission; 3] {
    let write = create("departments", maker.row(), &json!({ "name": "Surgery" }));
    maker.first = None;
    let first = maker.make(&stand.store, std::slice::from_ref(&write)).await;
    maker.first = Some(first.opened.body.id);
    let second = maker.make(&stand.store, std::slice::from_ref(&write)).await;
    let third = maker.make(&stand.store, &[write]).await;
    maker.first = None;
    [first, second, third]
}

async fn a_command_is_in_the_stream_once_whichever_of_its_transactions_comes_first(mut stand: Stand) {
    let mut maker = Maker::new(1);
    for (round, taken) in (1..).zip([0, 1]) {
        let all = thrice(&stand, &mut maker).await;
        let accepted = stand.accept(vec![all[taken].clone()]).await;
        assert!(
            matches!(accepted[..], [PushOutcome::Accepted { seq: Seq(seq), .. }] if seq == round),
            "{accepted:?}"
        );
        stand.reopen().await;
        for (number, submission) in all.into_iter().enumerate() {
            if number == taken {
                assert_eq!(stand.accept(vec![submission]).await, accepted, "a repeated push");
                continue;
            }
            assert_eq!(stand.refusal(submission.clone()).await.0, "done_already");
            assert_eq!(stand.refusal(submission).await.0, "done_already", "a repeated push");
        }
        assert_eq!(stand.store.count("departments").await.unwrap(), round);
    }
}

async fn a_command_comes_once_though_two_of_its_transactions_come_in_one_push(stand: Stand) {
    let mut maker = Maker::new(1);
    let mut batch = Vec::new();
    // As many as PostgreSQL judges at once.
    for _ in 0..40 {
        let [first, second, _] = thrice(&stand, &mut maker).await;
        batch.extend([first, second]);
    }
    let outcomes = stand.accept(batch).await;
    for pair in outcomes.chunks(2) {
        assert!(
            matches!(pair, [PushOutcome::Accepted { .. }, PushOutcome::Rejected { code, .. }] if code == "done_already"),
            "{pair:?}"
        );
    }
    assert_eq!(stand.store.count("departments").await.unwrap(), 40);
}

async fn a_name_given_twice_in_one_push_is_refused_whatever_its_first_name(stand: Stand) {
    let mut maker = Maker::new(1);
    let mut batch = Vec::new();
    for n in 0..40 {
        let write = create("departments", maker.row(), &json!({ "name": format!("Ward {n}") }));
        batch.push(maker.make(&stand.store, &[write]).await);
    }
    maker.first = Some(TransactionId(maker.row().0));
    let write = create("departments", maker.row(), &json!({ "name": "Surgery" }));
    let mut twice = maker.make(&stand.store, &[write]).await;
    twice.opened.body.id = batch[39].opened.body.id;
    let changes = twice.transaction.changes.iter().flatten().map(|c| c.to_vec());
    twice.transaction = Transaction::sign(&twice.opened.body, changes.collect(), &maker.identity().key);
    batch.push(twice);
    let outcomes = stand.accept(batch).await;
    let (last, others) = outcomes.split_last().unwrap();
    assert!(others.iter().all(|o| matches!(o, PushOutcome::Accepted { .. })));
    assert!(
        matches!(last, PushOutcome::Rejected { code, .. } if code == "id_taken"),
        "{last:?}"
    );
    assert_eq!(stand.store.count("departments").await.unwrap(), 40);
}

async fn what_waits_is_refused_when_its_command_was_done_meanwhile(stand: Stand) {
    let elsewhere = Stand::sqlite().await;
    let mut maker = Maker::new(1);
    let row = maker.row();
    let department = maker
        .make(
            &elsewhere.store,
            &[create("departments", row, &json!({ "name": "Surgery" }))],
        )
        .await;
    elsewhere.accept(vec![department.clone()]).await;
    let phone = edit("departments", row, &json!({ "phone": "1" }));
    let first = maker.make(&elsewhere.store, std::slice::from_ref(&phone)).await;
    maker.first = Some(first.opened.body.id);
    let second = maker.make(&elsewhere.store, &[phone]).await;
    let waits = stand.accept(vec![first, second]).await;
    assert!(
        matches!(waits[..], [PushOutcome::Waiting { .. }, PushOutcome::Waiting { .. }]),
        "{waits:?}"
    );
    stand.accept(vec![department]).await;
    assert_eq!(stand.seqs().await, [1, 2]);
    let refused = stand.store.quarantine(10).await.unwrap();
    let codes: Vec<_> = refused.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["done_already"]);
    assert_eq!(stand.store.waiting().await.unwrap().transactions, 0);
}

async fn another_device_cannot_take_a_command_away(stand: Stand) {
    let (mut maker, mut other) = (Maker::new(1), Maker::new(2));
    let [first, ..] = thrice(&stand, &mut maker).await;
    other.first = Some(first.opened.body.id);
    let write = create("departments", other.row(), &json!({ "name": "Maternity" }));
    let claimed = other.make(&stand.store, &[write]).await;
    let outcomes = stand.accept(vec![claimed, first]).await;
    assert!(
        outcomes.iter().all(|o| matches!(o, PushOutcome::Accepted { .. })),
        "{outcomes:?}"
    );
}
