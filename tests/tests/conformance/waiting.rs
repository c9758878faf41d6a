//! Transactions that come before what they build on.

use holdfast_core::{
    ids::{RowId, Seq, Timestamp},
    policy::Role,
    protocol::PushOutcome,
    row::RowWrite,
    transaction::Transaction,
};
use holdfast_server::store::Submission;
use holdfast_tests::{
    contents::{assert_same, replicated},
    dice::Dice,
    maker::{Maker, NOON},
    stand::Stand,
    writes::{create, delete, edit},
};
use serde_json::json;

crate::on_both_stores! {
    a_transaction_waits_for_what_it_builds_on_and_follows_it_at_once
    a_batch_in_reverse_is_taken_in_whole
    what_builds_on_something_refused_is_refused_with_it
    what_waits_in_a_circle_is_refused
    what_waits_for_thirty_days_is_refused
    a_reference_waits_for_its_row_over_a_restart_and_follows_it_at_once
    a_row_that_waits_itself_is_waited_for
    what_is_wrong_with_a_transaction_is_said_before_it_waits
    what_a_device_made_on_a_refused_row_is_refused_and_what_others_made_waits
    what_waits_for_a_row_that_its_device_is_then_refused_is_told_when_asked
    rows_that_wait_for_each_other_are_refused
    a_reference_that_leads_nowhere_for_thirty_days_is_refused_by_name
    a_deleted_row_is_not_waited_for
    any_order_of_arrival_gives_the_same_rows
}

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

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

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

/// A department, and a room in it: by another device, which met the department elsewhere.
struct Ward {
    department: RowId,
    first: Submission,
    ada: Maker,
    bob: Maker,
    elsewhere: Elsewhere,
}

impl Ward {
    async fn new() -> Self {
        let (mut elsewhere, mut ada, bob) = (Elsewhere::new().await, Maker::new(1), Maker::new(2));
        let department = ada.row();
        let first = elsewhere
            .write(
                &mut ada,
                create("departments", department, &json!({ "name": "Surgery" })),
            )
            .await;
        Self {
            department,
            first,
            ada,
            bob,
            elsewhere,
        }
    }

    async fn room(&mut self, number: &str) -> Submission {
        let write = self.new_room(number);
        self.elsewhere.write(&mut self.bob, write).await
    }

    fn new_room(&mut self, number: &str) -> RowWrite {
        let values = json!({ "room_number": number, "department_id": self.department.to_string() });
        create("rooms", self.bob.row(), &values)
    }
}

fn waits(outcomes: &[PushOutcome], missing: u64) -> bool {
    matches!(outcomes, [PushOutcome::Waiting { missing: m, .. }] if *m == missing)
}

async fn a_reference_waits_for_its_row_over_a_restart_and_follows_it_at_once(mut stand: Stand) {
    let mut ward = Ward::new().await;
    let (one, two) = (ward.room("1").await, ward.room("2").await);
    for room in [&one, &two, &one] {
        let outcomes = stand.accept(vec![room.clone()]).await;
        assert!(waits(&outcomes, 1), "{outcomes:?}");
    }
    assert_eq!((waiting(&stand).await, stand.store.head().await.unwrap()), (2, Seq(0)));
    assert_eq!(stand.store.count("rooms").await.unwrap(), 0);
    stand.reopen().await;
    assert_eq!(waiting(&stand).await, 2);
    assert_eq!(stand.take(ward.first.clone()).await, Seq(1));
    assert_eq!((waiting(&stand).await, stand.store.head().await.unwrap()), (0, Seq(3)));
    let outcomes = stand.accept(vec![two, one]).await;
    assert_eq!(
        outcomes.iter().map(seq).collect::<Vec<_>>(),
        [3, 2],
        "in the order in which they came"
    );
    let (there, here) = (
        ward.elsewhere.stand.contents(replicated).await,
        stand.contents(replicated).await,
    );
    assert_same("elsewhere", &there, stand.name(), &here);
}

/// A bed of a room of a department: each refers to a row that waits; the last also builds on a change that has not come.
async fn a_row_that_waits_itself_is_waited_for(stand: Stand) {
    let mut ward = Ward::new().await;
    let room = ward.room("1").await;
    let id = room.opened.body.changes[0].document.row;
    let bed = ward.bob.row();
    let values = json!({ "bed_number": "1", "room_id": id.to_string() });
    let bed = ward.elsewhere.write(&mut ward.bob, create("beds", bed, &values)).await;
    let phone = edit("departments", ward.department, &json!({ "phone": "1" }));
    let both = [phone, ward.new_room("2")];
    let last = ward.bob.make(&ward.elsewhere.stand.store, &both).await;
    for (submission, missing) in [(&bed, 1), (&last, 1), (&room, 1)] {
        let outcomes = stand.accept(vec![submission.clone()]).await;
        assert!(waits(&outcomes, missing), "{outcomes:?}");
    }
    let outcomes = stand.accept(vec![ward.first, room, bed, last]).await;
    assert_eq!(outcomes.iter().map(seq).collect::<Vec<_>>(), [1, 3, 4, 2]);
}

async fn what_is_wrong_with_a_transaction_is_said_before_it_waits(stand: Stand) {
    let mut ward = Ward::new().await;
    let write = ward.new_room("12345678901");
    let too_long = ward.bob.make(&stand.store, &[write]).await;
    assert_eq!(stand.refusal(too_long).await.0, "invalid_value");
    let mut not_allowed = ward.room("1").await;
    not_allowed.role = Role::Auditor;
    assert_eq!(stand.refusal(not_allowed).await.0, "not_allowed");
    ward.bob.import = true;
    let write = ward.new_room("2");
    let import = ward.bob.make(&stand.store, &[write]).await;
    let (code, reason) = stand.refusal(import).await;
    assert_eq!(
        code, "broken_reference",
        "an import brings all that it refers to: {reason}"
    );
    assert_eq!(
        (waiting(&stand).await, stand.store.quarantine(10).await.unwrap().len()),
        (0, 3)
    );
}

/// A device may make anew, with the same id, what was refused for the sake of something else.
async fn what_a_device_made_on_a_refused_row_is_refused_and_what_others_made_waits(stand: Stand) {
    let mut ward = Ward::new().await;
    let others = ward.room("1").await;
    let own = create(
        "rooms",
        ward.ada.row(),
        &json!({ "room_number": "2", "department_id": ward.department.to_string() }),
    );
    let own = ward.elsewhere.write(&mut ward.ada, own).await;
    let mut refused = ward.first.clone();
    refused.role = Role::Auditor;
    let outcomes = stand.accept(vec![others.clone(), refused, own.clone()]).await;
    let [
        PushOutcome::Waiting { .. },
        PushOutcome::Rejected { .. },
        PushOutcome::Rejected { code, reason, .. },
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(code, "broken_reference");
    let room = own.opened.body.changes[0].document.row;
    for word in [
        "rooms.department_id",
        &room.to_string(),
        &ward.department.to_string(),
        "refused",
    ] {
        assert!(reason.contains(word), "{reason} does not say {word}");
    }
    let department = create("departments", ward.department, &json!({ "name": "Surgery, again" }));
    let again = ward.ada.make(&stand.store, &[department]).await;
    assert_eq!(stand.take(again).await, Seq(1));
    assert_eq!(waiting(&stand).await, 0);
    assert_eq!(
        stand.accept(vec![others]).await.iter().map(seq).collect::<Vec<_>>(),
        [2]
    );
    assert_eq!(stand.store.count("rooms").await.unwrap(), 1);
}

/// The device learns of both together, however long it was away.
async fn what_waits_for_a_row_that_its_device_is_then_refused_is_told_when_asked(mut stand: Stand) {
    let mut ward = Ward::new().await;
    std::mem::swap(&mut ward.ada, &mut ward.bob);
    let room = ward.room("1").await;
    let outcomes = stand.accept(vec![room.clone()]).await;
    assert!(waits(&outcomes, 1), "{outcomes:?}");
    let mut refused = ward.first.clone();
    refused.role = Role::Auditor;
    assert_eq!(stand.refusal(refused.clone()).await.0, "not_allowed");
    assert_eq!(waiting(&stand).await, 0, "the room does not wait for what is refused");
    assert_eq!(stand.refusal(room).await.0, "broken_reference");
    // What came after that, from a device that has not yet heard of it.
    stand.reopen().await;
    let late = ward.room("2").await;
    let outcomes = stand.accept(vec![late.clone()]).await;
    assert!(waits(&outcomes, 1), "{outcomes:?}");
    let outcomes = stand.accept(vec![refused, late]).await;
    let codes: Vec<&str> = outcomes.iter().map(code).collect();
    assert_eq!(codes, ["not_allowed", "broken_reference"]);
    assert_eq!(waiting(&stand).await, 0);
}

fn code(outcome: &PushOutcome) -> &str {
    match outcome {
        PushOutcome::Rejected { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}

/// Two devices that each put a reference before the row that the other one's row refers to.
async fn rows_that_wait_for_each_other_are_refused(stand: Stand) {
    let (mut ada, mut bob) = (Maker::new(1), Maker::new(2));
    let (one, other) = (ada.row(), bob.row());
    let task = |row: RowId, parent: RowId| {
        [
            create("departments", row, &json!({ "name": row.to_string() })),
            create(
                "rooms",
                row,
                &json!({ "room_number": "1", "department_id": parent.to_string() }),
            ),
        ]
    };
    let first = ada.make(&stand.store, &task(one, other)).await;
    let second = bob.make(&stand.store, &task(other, one)).await;
    let outcomes = stand.accept(vec![first.clone()]).await;
    assert!(waits(&outcomes, 1), "{outcomes:?}");
    assert_eq!(stand.refusal(second).await.0, "circular_dependency");
    // The other device may make its row anew.
    assert_eq!(waiting(&stand).await, 1);
    let department = create("departments", other, &json!({ "name": "Surgery" }));
    let again = bob.make(&stand.store, &[department]).await;
    let outcomes = stand.accept(vec![again, first]).await;
    assert_eq!(outcomes.iter().map(seq).collect::<Vec<_>>(), [1, 2]);
}

async fn a_reference_that_leads_nowhere_for_thirty_days_is_refused_by_name(stand: Stand) {
    let mut ward = Ward::new().await;
    let room = ward.room("1").await;
    stand.accept(vec![room.clone()]).await;
    let later = Timestamp(NOON.0 + 31 * DAY);
    let outcomes = stand.store.accept(vec![room.clone()], later).await.unwrap();
    let [PushOutcome::Rejected { code, reason, .. }] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(code, "broken_reference");
    let id = room.opened.body.changes[0].document.row;
    for word in [
        "rooms.department_id",
        &id.to_string(),
        "departments",
        &ward.department.to_string(),
        "30 days",
    ] {
        assert!(reason.contains(word), "{reason} does not say {word}");
    }
    let kept = stand.store.quarantine(10).await.unwrap();
    assert_eq!((kept.len(), &kept[0].reason), (1, reason));
    assert_eq!(waiting(&stand).await, 0);
}

async fn a_deleted_row_is_not_waited_for(stand: Stand) {
    let mut ward = Ward::new().await;
    stand.take(ward.first.clone()).await;
    stand
        .write(&mut ward.ada, &[delete("departments", ward.department)])
        .await;
    assert_eq!(stand.store.count("departments").await.unwrap(), 0);
    let room = ward.room("1").await;
    assert_eq!(stand.take(room).await, Seq(3));
    assert_eq!(
        stand.store.count("departments").await.unwrap(),
        1,
        "it is there again while it is used"
    );
}

/// Three devices, whose transactions build on one another's and refer to one another's rows, arrive in any order, some of
/// them twice.
async fn any_order_of_arrival_gives_the_same_rows(mut stand: Stand) {
    const STEPS: usize = 60;
    for seed in [1, 2, 3] {
        let mut dice = Dice::new(seed);
        let mut elsewhere = Elsewhere::new().await;
        let mut makers: Vec<Maker> = (0..3).map(|n| Maker::new(seed * 100 + n)).collect();
        let (mut rows, mut rooms) = (Vec::new(), Vec::new());
        for n in 0..STEPS {
            let maker = dice.below(makers.len());
            if rows.len() < 4 {
                rows.push(makers[maker].row());
                let write = create(
                    "departments",
                    rows[rows.len() - 1],
                    &json!({ "name": format!("{seed} {n}") }),
                );
                elsewhere.write(&mut makers[maker], write).await;
                continue;
            }
            if dice.once_in(3) {
                let write = room(&mut makers[maker], &mut rooms, &rows, &mut dice);
                elsewhere.write(&mut makers[maker], write).await;
                continue;
            }
            let write = edit("departments", *dice.pick(&rows), &changed(&mut dice));
            // Sometimes two write at the same time.
            let other = (maker + 1 + dice.below(2)) % 3;
            let seen = makers[other]
                .look(&elsewhere.stand.store, std::slice::from_ref(&write))
                .await;
            elsewhere.write(&mut makers[maker], write.clone()).await;
            if dice.once_in(3) {
                let RowWrite { row, .. } = write;
                let write = edit("departments", row, &changed(&mut dice));
                let concurrent = makers[other].make_on(&seen, &[write]);
                elsewhere.stand.take(concurrent.clone()).await;
                elsewhere.made.push(concurrent);
            }
        }
        let mut arrivals = elsewhere.made.clone();
        for _ in 0..STEPS / 4 {
            arrivals.push(dice.pick(&elsewhere.made).clone());
        }
        shuffle(&mut arrivals, &mut dice);
        let mut waited = 0;
        while !arrivals.is_empty() {
            let batch = arrivals.split_off(arrivals.len() - (1 + dice.below(5)).min(arrivals.len()));
            stand.accept(batch).await;
            waited = waited.max(waiting(&stand).await);
        }
        assert!(waited > 5, "seed {seed}: only {waited} ever waited");
        assert_eq!(waiting(&stand).await, 0, "seed {seed}");
        let outcomes = stand.accept(elsewhere.made.clone()).await;
        let mut seqs: Vec<u64> = outcomes.iter().map(seq).collect();
        seqs.sort_unstable();
        assert_eq!(
            seqs,
            (1..=elsewhere.made.len() as u64).collect::<Vec<_>>(),
            "seed {seed}"
        );
        let (there, here) = (
            elsewhere.stand.contents(replicated).await,
            stand.contents(replicated).await,
        );
        assert_same(
            "in causal order",
            &there,
            &format!("{}, seed {seed}", stand.name()),
            &here,
        );
        stand = if stand.name() == "SQLite" {
            Stand::sqlite().await
        } else {
            Stand::postgres().await
        };
    }
}

/// A new room in one of these departments, or one that is moved to it.
fn room(maker: &mut Maker, rooms: &mut Vec<RowId>, departments: &[RowId], dice: &mut Dice) -> RowWrite {
    let department = dice.pick(departments).to_string();
    if !rooms.is_empty() && dice.once_in(2) {
        return edit("rooms", *dice.pick(rooms), &json!({ "department_id": department }));
    }
    rooms.push(maker.row());
    let values = json!({ "room_number": rooms.len().to_string(), "department_id": department });
    create("rooms", rooms[rooms.len() - 1], &values)
}

fn changed(dice: &mut Dice) -> serde_json::Value {
    let column = *dice.pick(&["phone", "description", "email"]);
    json!({ column: format!("w{}", dice.below(9)) })
}

/// Fisher and Yates.
fn shuffle<T>(all: &mut [T], dice: &mut Dice) {
    for end in (1..all.len()).rev() {
        all.swap(end, dice.below(end + 1));
    }
}
