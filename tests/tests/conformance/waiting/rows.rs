//! Transactions that refer to rows which have not come yet.

use holdfast_core::{
    ids::{RowId, Seq, Timestamp},
    policy::Role,
    protocol::PushOutcome,
    row::RowWrite,
};
use holdfast_server::store::Submission;
use holdfast_tests::{
    contents::{assert_same, replicated},
    maker::{Maker, NOON},
    stand::Stand,
    writes::{create, delete, edit},
};
use serde_json::json;

use super::{DAY, Elsewhere, code, seq, waiting};

crate::on_both_stores! {
    a_reference_waits_for_its_row_over_a_restart_and_follows_it_at_once
    a_row_that_waits_itself_is_waited_for
    what_is_wrong_with_a_transaction_is_said_before_it_waits
    what_a_device_made_on_a_refused_row_is_refused_and_what_others_made_waits
    what_waits_for_a_row_that_its_device_is_then_refused_is_told_when_asked
    rows_that_wait_for_each_other_are_refused
    a_reference_that_leads_nowhere_for_thirty_days_is_refused_by_name
    a_deleted_row_is_not_waited_for
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
