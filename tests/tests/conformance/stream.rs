//! Transactions come in, in order, each once.

use holdfast_core::{ids::Seq, policy::Role, protocol::PushOutcome, transaction::Transaction};
use holdfast_server::store::{Objection, Submission};
use holdfast_tests::{
    maker::Maker,
    stand::Stand,
    writes::{create, edit},
};
use serde_json::json;

crate::on_both_stores! {
    a_new_store_is_ready_and_empty_and_keeps_its_identity
    places_have_no_gaps_and_follow_the_order_given
    a_repeated_push_gets_the_outcome_it_had_and_changes_nothing
    another_transaction_with_a_known_id_is_refused
    a_refused_transaction_takes_no_place_changes_nothing_and_is_kept
    what_is_refused_for_its_maker_is_kept_and_stays_refused
    what_is_refused_is_said_with_row_column_and_reason
    a_refusal_does_not_stop_those_behind_it
    transactions_of_one_batch_build_on_each_other
    writers_at_the_same_time_leave_no_gap
    everything_is_there_after_a_restart
}

fn department(maker: &mut Maker, name: &str) -> holdfast_core::row::RowWrite {
    create("departments", maker.row(), &json!({ "name": name }))
}

async fn a_new_store_is_ready_and_empty_and_keeps_its_identity(mut stand: Stand) {
    assert!(stand.store.is_ready().await.unwrap());
    assert_eq!(stand.store.head().await.unwrap(), Seq(0));
    assert!(stand.store.pull(Seq(0), 10, 1_000).await.unwrap().entries.is_empty());
    let (hospital, key) = (
        stand.store.hospital_id().await.unwrap(),
        stand.store.server_key().await.unwrap(),
    );
    stand.reopen().await;
    assert_eq!(stand.store.hospital_id().await.unwrap(), hospital);
    assert_eq!(stand.store.server_key().await.unwrap().to_bytes(), key.to_bytes());
}

async fn places_have_no_gaps_and_follow_the_order_given(stand: Stand) {
    let mut maker = Maker::new(1);
    let mut batch = Vec::new();
    for n in 0..25 {
        let write = department(&mut maker, &format!("Ward {n}"));
        batch.push(maker.make(&stand.store, &[write]).await);
    }
    let ids: Vec<_> = batch.iter().map(|s| s.opened.body.id).collect();
    let outcomes = stand.accept(batch).await;
    let expected: Vec<_> = (1..)
        .zip(&ids)
        .map(|(seq, id)| PushOutcome::Accepted { id: *id, seq: Seq(seq) })
        .collect();
    assert_eq!(outcomes, expected);
    let entries = stand.store.pull(Seq(0), 100, 1 << 20).await.unwrap().entries;
    let logged: Vec<_> = entries.iter().map(|e| e.transaction.body().unwrap().id).collect();
    assert_eq!(logged, ids);
}

async fn a_repeated_push_gets_the_outcome_it_had_and_changes_nothing(stand: Stand) {
    let mut maker = Maker::new(1);
    let (first, second) = (department(&mut maker, "Surgery"), department(&mut maker, "Maternity"));
    let first = maker.make(&stand.store, &[first]).await;
    let outcome = stand.accept(vec![first.clone()]).await.remove(0);
    let second = maker.make(&stand.store, &[second]).await;
    // Alone, in front of a new one, and twice in one batch.
    assert_eq!(stand.accept(vec![first.clone()]).await, std::slice::from_ref(&outcome));
    let again = stand.accept(vec![first.clone(), second.clone(), second, first]).await;
    assert_eq!((&again[0], &again[3]), (&outcome, &outcome));
    assert_eq!(again[1], again[2]);
    assert_eq!(stand.seqs().await, [1, 2]);
    assert_eq!(stand.store.count("departments").await.unwrap(), 2);
}

async fn another_transaction_with_a_known_id_is_refused(stand: Stand) {
    let mut maker = Maker::new(1);
    let write = department(&mut maker, "Surgery");
    let first = maker.make(&stand.store, &[write]).await;
    stand.take(first.clone()).await;
    // Signed properly, but under the other's name.
    let write = department(&mut maker, "Forgery");
    let other = maker.make(&stand.store, &[write]).await;
    let mut body = other.opened.body.clone();
    body.id = first.opened.body.id;
    let changes = other.transaction.changes.iter().flatten().map(|c| c.to_vec()).collect();
    let transaction = Transaction::sign(&body, changes, &maker.identity().key);
    let opened = transaction.open().unwrap();
    let forged = Submission {
        transaction,
        opened,
        ..other
    };
    let (code, _) = stand.refusal(forged).await;
    assert_eq!(
        code,
        "id_taken",
        "{}: its maker must learn that it was not taken",
        stand.name()
    );
    assert_eq!(stand.store.count("departments").await.unwrap(), 1);
}

async fn a_refused_transaction_takes_no_place_changes_nothing_and_is_kept(stand: Stand) {
    let mut maker = Maker::new(1);
    let room = create("rooms", maker.row(), &json!({ "room_number": "101" }));
    let mut broken = maker.make(&stand.store, &[room]).await;
    broken.role = Role::Auditor;
    let refusal = stand.refusal(broken.clone()).await;
    assert_eq!(refusal.0, "not_allowed");
    assert_eq!(stand.store.head().await.unwrap(), Seq(0));
    assert_eq!(stand.store.count("rooms").await.unwrap(), 0);
    let kept = stand.store.quarantine(10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].id, broken.opened.body.id);
    assert_eq!((kept[0].code.clone(), kept[0].reason.clone()), refusal);
    assert_eq!(kept[0].transaction, broken.transaction);
    // It would be fine by now, but its maker was told otherwise.
    broken.role = Role::Admin;
    assert_eq!(stand.refusal(broken).await, refusal);
    assert_eq!(stand.store.quarantine(10).await.unwrap().len(), 1);
}

async fn what_is_refused_for_its_maker_is_kept_and_stays_refused(stand: Stand) {
    let mut maker = Maker::new(1);
    let (ward, room) = (maker.row(), maker.row());
    let [department, room] = [
        create("departments", ward, &json!({ "name": "Surgery" })),
        create("rooms", room, &json!({ "room_number": "101", "department_id": ward })),
    ];
    let good = maker.make(&stand.store, &[department]).await;
    let mut unknown = good.clone();
    unknown.objection = Some(Objection {
        code: "unknown_user",
        reason: "Nobody knows them.".to_owned(),
    });
    // What its device made on top of it is refused with it, in one push too.
    let outcomes = stand
        .accept(vec![unknown, maker.make(&stand.store, &[room]).await])
        .await;
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            PushOutcome::Rejected { code, .. } => code.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, ["unknown_user", "broken_reference"]);
    let kept = stand.store.quarantine(10).await.unwrap();
    assert!(kept.iter().any(|one| one.transaction == good.transaction));
    // They have signed in meanwhile, but their device has gone on without it.
    let refusal = ("unknown_user".to_owned(), "Nobody knows them.".to_owned());
    assert_eq!(stand.refusal(good).await, refusal);
    assert_eq!(stand.store.head().await.unwrap(), Seq(0));
}

async fn what_is_refused_is_said_with_row_column_and_reason(stand: Stand) {
    let mut maker = Maker::new(1);
    for (table, values, code, word) in [
        ("rooms", json!({ "room_number": "12345678901" }), "invalid_value", "10"),
        ("rooms", json!({}), "missing_value", "room_number"),
        (
            "equipment_categories",
            json!({ "name": "a\0b" }),
            "invalid_value",
            "name",
        ),
        (
            "agent_interactions",
            json!({ "agent_type": "sideways", "query": "", "response": "" }),
            "invalid_value",
            "bed_management",
        ),
    ] {
        let row = maker.row();
        let submission = maker.make(&stand.store, &[create(table, row, &values)]).await;
        let (found, reason) = stand.refusal(submission).await;
        assert_eq!(found, code, "{}: {reason}", stand.name());
        assert!(
            reason.contains(&row.to_string()) && reason.contains(table) && reason.contains(word),
            "{}: the reason names neither table, row nor {word}: {reason}",
            stand.name()
        );
    }
    assert_eq!(stand.contents(holdfast_tests::contents::replicated).await.total(), 0);
}

async fn a_refusal_does_not_stop_those_behind_it(stand: Stand) {
    let mut maker = Maker::new(1);
    let mut batch = Vec::new();
    for n in 0..9 {
        // Every third is too long.
        let name = if n % 3 == 1 {
            "x".repeat(101)
        } else {
            format!("Ward {n}")
        };
        let write = department(&mut maker, &name);
        batch.push(maker.make(&stand.store, &[write]).await);
    }
    let outcomes = stand.accept(batch).await;
    let accepted: Vec<_> = outcomes
        .iter()
        .map(|o| match o {
            PushOutcome::Accepted { seq, .. } => seq.0,
            _ => 0,
        })
        .collect();
    assert_eq!(accepted, [1, 0, 2, 3, 0, 4, 5, 0, 6]);
}

async fn transactions_of_one_batch_build_on_each_other(stand: Stand) {
    let mut maker = Maker::new(1);
    let (department_id, room) = (maker.row(), maker.row());
    let first = create("departments", department_id, &json!({ "name": "Surgery" }));
    let first = maker.make(&stand.store, &[first]).await;
    let values = json!({ "room_number": "101", "department_id": department_id.to_string() });
    let second = maker.make(&stand.store, &[create("rooms", room, &values)]).await;
    let outcomes = stand.accept(vec![first, second]).await;
    assert!(
        outcomes.iter().all(|o| matches!(o, PushOutcome::Accepted { .. })),
        "{outcomes:?}"
    );
    assert_eq!(stand.store.count("rooms").await.unwrap(), 1);
}

async fn writers_at_the_same_time_leave_no_gap(stand: Stand) {
    const WRITERS: u64 = 8;
    const EACH: usize = 12;
    let shared = Maker::new(0).row();
    let mut first = Maker::new(99);
    stand
        .write(&mut first, &[create("departments", shared, &json!({ "name": "All" }))])
        .await;
    let mut writers = tokio::task::JoinSet::new();
    for seed in 1..=WRITERS {
        let store = stand.store.clone();
        writers.spawn(async move {
            let mut maker = Maker::new(seed);
            for n in 0..EACH {
                let write = edit("departments", shared, &json!({ "description": format!("{seed} {n}") }));
                let own = department(&mut maker, &format!("{seed} {n}"));
                let submission = maker.make(&store, &[write, own]).await;
                let now = holdfast_tests::stand::minutes(n as i64);
                let outcomes = store.accept(vec![submission], now).await.unwrap();
                assert!(matches!(outcomes[..], [PushOutcome::Accepted { .. }]), "{outcomes:?}");
            }
        });
    }
    // Whoever pulls meanwhile never sees a gap.
    let store = stand.store.clone();
    let reader = tokio::spawn(async move {
        let mut at = 0;
        while at < WRITERS * EACH as u64 {
            for entry in store.pull(Seq(at), 7, 1 << 20).await.unwrap().entries {
                assert_eq!(entry.seq.0, at + 1, "a pull skipped a transaction");
                at = entry.seq.0;
            }
        }
    });
    writers.join_all().await;
    reader.await.unwrap();
    let expected: Vec<u64> = (1..=1 + WRITERS * EACH as u64).collect();
    assert_eq!(stand.seqs().await, expected);
    let count = stand.store.count("departments").await.unwrap();
    assert_eq!(count, 1 + WRITERS * EACH as u64);
}

async fn everything_is_there_after_a_restart(mut stand: Stand) {
    let mut maker = Maker::new(1);
    let write = department(&mut maker, "Surgery");
    let submission = maker.make(&stand.store, &[write]).await;
    let outcome = stand.accept(vec![submission.clone()]).await;
    let before = stand.contents(holdfast_tests::contents::replicated).await;
    stand.reopen().await;
    assert_eq!(stand.contents(holdfast_tests::contents::replicated).await, before);
    assert_eq!(stand.accept(vec![submission]).await, outcome);
    let write = department(&mut maker, "Maternity");
    assert_eq!(stand.write(&mut maker, &[write]).await, Seq(2));
}
