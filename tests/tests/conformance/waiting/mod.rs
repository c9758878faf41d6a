//! Transactions that come before what they build on.

use holdfast_core::{
    ids::{Seq, Timestamp},
    policy::Role,
    protocol::PushOutcome,
    row::RowWrite,
    transaction::Transaction,
};
use holdfast_server::store::Submission;
use holdfast_tests::{
    maker::{Maker, NOON},
    stand::Stand,
    writes::{create, edit},
};
use serde_json::json;

mod any_order;
mod rows;

crate::on_both_stores! {
    a_transaction_waits_for_what_it_builds_on_and_follows_it_at_once
    a_batch_in_reverse_is_taken_in_whole
    what_builds_on_something_refused_is_refused_with_it
    what_waits_in_a_circle_is_refused
    what_waits_for_thirty_days_is_refused
    a_clock_that_was_set_back_lets_nothing_wait_longer
}

/// In microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Transactions that were made on another store, in this order.
struct Elsewhere {
    stand: Stand,
    made: Vec<Submission>,
}

impl Elsewhere {
    async fn new() -> Self {
        Self {
            stand: Stand::sqlite().await,
            made: Vec::new(),
        }
    }

    async fn write(&mut self, maker: &mut Maker, write: RowWrite) -> Submission {
        let made = maker.make(&self.stand.store, &[write]).await;
        self.stand.take(made.clone()).await;
        self.made.push(made.clone());
        made
    }
}

/// A department, and two edits of it, each built on the one before.
async fn three(seed: u64) -> [Submission; 3] {
    let (mut elsewhere, mut maker) = (Elsewhere::new().await, Maker::new(seed));
    let row = maker.row();
    let mut made = Vec::new();
    for write in [
        create("departments", row, &json!({ "name": "Surgery" })),
        edit("departments", row, &json!({ "phone": "1" })),
        edit("departments", row, &json!({ "phone": "2" })),
    ] {
        made.push(elsewhere.write(&mut maker, write).await);
    }
    made.try_into().unwrap()
}

async fn waiting(stand: &Stand) -> u64 {
    stand.store.waiting().await.unwrap().transactions
}

async fn a_transaction_waits_for_what_it_builds_on_and_follows_it_at_once(mut stand: Stand) {
    let [first, second, third] = three(1).await;
    let waits = [PushOutcome::Waiting {
        id: third.opened.body.id,
        missing: 1,
    }];
    assert_eq!(stand.accept(vec![third.clone()]).await, waits);
    assert_eq!(stand.accept(vec![third.clone()]).await, waits, "a repeated push");
    let mut other = first.clone();
    other.opened.body.id = third.opened.body.id;
    other.transaction = resigned(&other, &Maker::new(1));
    assert_eq!(stand.refusal(other).await.0, "id_taken");
    assert_eq!((waiting(&stand).await, stand.store.head().await.unwrap()), (1, Seq(0)));
    assert_eq!(stand.store.waiting().await.unwrap().since, Some(NOON));

    stand.reopen().await;
    assert!(matches!(
        stand.accept(vec![second.clone()]).await[..],
        [PushOutcome::Waiting { .. }]
    ));
    assert_eq!(waiting(&stand).await, 2);
    let mut maker = Maker::new(2);
    let row = maker.row();
    let unrelated = maker
        .make(
            &stand.store,
            &[create("departments", row, &json!({ "name": "Maternity" }))],
        )
        .await;
    // What waited stands between the two of the batch.
    let outcomes = stand.accept(vec![first.clone(), unrelated]).await;
    assert!(
        matches!(
            outcomes[..],
            [
                PushOutcome::Accepted { seq: Seq(1), .. },
                PushOutcome::Accepted { seq: Seq(4), .. }
            ]
        ),
        "{outcomes:?}"
    );
    assert_eq!(waiting(&stand).await, 0);
    let seqs = stand.accept(vec![second, third, first]).await;
    assert_eq!(seqs.iter().map(seq).collect::<Vec<_>>(), [2, 3, 1]);
    assert_eq!(stand.seqs().await, [1, 2, 3, 4]);
    assert_eq!(
        stand
            .text("SELECT phone FROM departments WHERE name = 'Surgery'")
            .await
            .as_deref(),
        Some("2")
    );
}

fn seq(outcome: &PushOutcome) -> u64 {
    match outcome {
        PushOutcome::Accepted { seq, .. } => seq.0,
        other => panic!("not accepted: {other:?}"),
    }
}

fn resigned(submission: &Submission, maker: &Maker) -> Transaction {
    let changes = submission.transaction.changes.iter().flatten();
    let changes = changes.map(|c| c.to_vec()).collect();
    Transaction::sign(&submission.opened.body, changes, &maker.identity().key)
}

async fn a_batch_in_reverse_is_taken_in_whole(stand: Stand) {
    let [first, second, third] = three(1).await;
    let outcomes = stand.accept(vec![third, second, first]).await;
    assert_eq!(outcomes.iter().map(seq).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(waiting(&stand).await, 0);
}

async fn what_builds_on_something_refused_is_refused_with_it(stand: Stand) {
    let [mut first, second, third] = three(1).await;
    assert!(matches!(
        stand.accept(vec![second.clone()]).await[..],
        [PushOutcome::Waiting { .. }]
    ));
    first.role = Role::Auditor;
    assert_eq!(stand.refusal(first).await.0, "not_allowed");
    for submission in [second, third] {
        let (code, reason) = stand.refusal(submission).await;
        assert_eq!(code, "unknown_dependency");
        assert!(
            reason.contains("departments") && reason.contains("which was refused"),
            "{reason}"
        );
    }
    assert_eq!((waiting(&stand).await, stand.store.head().await.unwrap()), (0, Seq(0)));
    assert_eq!(stand.store.quarantine(10).await.unwrap().len(), 3);
}

/// SQLite has no such case: there the engine made the tables, with no rules that it does not know.
#[tokio::test]
async fn what_waits_for_something_that_postgresqls_tables_refuse_is_refused_with_it() {
    let stand = Stand::postgres().await;
    // A rule that somebody added, which `ingest` knows nothing of.
    let rule = "ALTER TABLE departments ADD CONSTRAINT no_surgery CHECK (name <> 'Surgery')";
    stand.tamper(rule).await;
    let [first, second, third] = three(1).await;
    let outcomes = stand.accept(vec![second.clone()]).await;
    assert!(matches!(outcomes[..], [PushOutcome::Waiting { .. }]), "{outcomes:?}");
    let (code, reason) = stand.refusal(first.clone()).await;
    assert_eq!(code, "refused_by_tables");
    assert!(reason.contains("no_surgery"), "{reason}");
    assert_eq!(waiting(&stand).await, 0, "nobody waits for what never comes");
    assert_eq!(stand.store.quarantine(10).await.unwrap().len(), 2);
    for submission in [second, third] {
        let (code, reason) = stand.refusal(submission).await;
        assert_eq!(code, "unknown_dependency");
        assert!(reason.contains("which was refused"), "{reason}");
    }
    assert_eq!(stand.refusal(first).await.0, "refused_by_tables", "a repeated push");
    assert_eq!((waiting(&stand).await, stand.store.head().await.unwrap()), (0, Seq(0)));
}

/// Two devices that each put a change before the other's that it builds on.
async fn what_waits_in_a_circle_is_refused(stand: Stand) {
    let (mut elsewhere, mut ada, mut bob) = (Elsewhere::new().await, Maker::new(1), Maker::new(2));
    let (a, b) = (ada.row(), bob.row());
    let own_a = elsewhere
        .write(&mut ada, create("departments", a, &json!({ "name": "A" })))
        .await;
    let own_b = elsewhere
        .write(&mut bob, create("departments", b, &json!({ "name": "B" })))
        .await;
    let later_b = elsewhere
        .write(&mut ada, edit("departments", b, &json!({ "phone": "1" })))
        .await;
    let later_a = elsewhere
        .write(&mut bob, edit("departments", a, &json!({ "phone": "1" })))
        .await;
    let one = joined(&own_a, &later_b, &ada);
    let two = joined(&own_b, &later_a, &bob);
    assert!(matches!(
        stand.accept(vec![one.clone()]).await[..],
        [PushOutcome::Waiting { .. }]
    ));
    assert_eq!(stand.refusal(two).await.0, "circular_dependency");
    assert_eq!(stand.refusal(one).await.0, "unknown_dependency");
    assert_eq!(waiting(&stand).await, 0);
}

/// Both transactions as one.
fn joined(first: &Submission, second: &Submission, maker: &Maker) -> Submission {
    let mut body = first.opened.body.clone();
    body.changes.extend(&second.opened.body.changes);
    let changes = first.transaction.changes.iter().chain(&second.transaction.changes);
    let changes = changes.flatten().map(|c| c.to_vec()).collect();
    let transaction = Transaction::sign(&body, changes, &maker.identity().key);
    Submission {
        opened: transaction.open().unwrap(),
        transaction,
        ..first.clone()
    }
}

async fn what_waits_for_thirty_days_is_refused(stand: Stand) {
    let [_, second, third] = three(1).await;
    stand.accept(vec![second.clone(), third.clone()]).await;
    assert_eq!(waiting(&stand).await, 2);
    let later = Timestamp(NOON.0 + 31 * DAY);
    let outcomes = stand.store.accept(vec![second, third], later).await.unwrap();
    for outcome in outcomes {
        let PushOutcome::Rejected { code, reason, .. } = outcome else {
            panic!("it is not refused: {outcome:?}");
        };
        assert_eq!(code, "unknown_dependency", "{reason}");
    }
    assert_eq!(
        (waiting(&stand).await, stand.store.quarantine(10).await.unwrap().len()),
        (0, 2)
    );
}

/// They came while the server's clock was a year ahead.
async fn a_clock_that_was_set_back_lets_nothing_wait_longer(stand: Stand) {
    let [_, second, third] = three(1).await;
    let batch = vec![second, third];
    let ahead = Timestamp(NOON.0 + 365 * DAY);
    stand.store.accept(batch.clone(), ahead).await.unwrap();
    for days in [0, 29] {
        let now = Timestamp(NOON.0 + days * DAY);
        stand.store.accept(batch.clone(), now).await.unwrap();
        assert_eq!(waiting(&stand).await, 2, "after {days} days");
    }
    let later = Timestamp(NOON.0 + 31 * DAY);
    let outcomes = stand.store.accept(batch, later).await.unwrap();
    let codes: Vec<_> = outcomes.iter().map(code).collect();
    assert_eq!(codes, ["unknown_dependency"; 2]);
}

fn code(outcome: &PushOutcome) -> &str {
    match outcome {
        PushOutcome::Rejected { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}
