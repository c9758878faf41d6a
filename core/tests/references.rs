//! References to rows that are not there yet: a server waits for them, whoever brings all himself does not.

mod support;

use std::collections::BTreeSet;

use holdfast_core::{
    document::{DocumentId, Place},
    ids::{RowId, Seq},
    ingest::{
        Attempt, Authority, Job, Rejection, RowKey, WorkingSet,
        waiting::{Awaited, Unmet, Why, arrived, brought},
    },
    policy::Role,
    schema::Schema,
    transaction::{ChangeName, Opened, Transaction},
};
use support::*;

#[derive(PartialEq, Debug)]
enum Judged {
    Accepted,
    Waits(BTreeSet<Awaited>),
    Refused(Rejection),
}

/// What a server says that holds what `store` does.
fn judge(store: &MemoryStore, opened: &Opened, role: Role, import: bool) -> Judged {
    judge_at(Place::Stream(Seq(99)), store, opened, role, import)
}

fn judge_at(place: Place, store: &MemoryStore, opened: &Opened, role: Role, import: bool) -> Judged {
    let (mut store, mut set) = (store.clone(), WorkingSet::default());
    let job = Job::Ingest {
        opened,
        place,
        authority: Authority::Judge { role, import },
    };
    loop {
        match set.attempt(&job) {
            Attempt::Load(needs) => store.load(&needs, &mut set),
            Attempt::Write(effects) => store.write(*effects),
            Attempt::Missing(all) => return Judged::Waits(all),
            Attempt::Done(Ok(())) => return Judged::Accepted,
            Attempt::Done(Err(rejection)) => return Judged::Refused(rejection),
        }
    }
}

/// Somebody registers patients 20 and 21 at a server that another one has not heard of yet; somebody else works on with them.
/// Returns the other server, the first transaction, and the device of the one who works on.
fn roaming() -> (Server, Transaction, Device) {
    let (mut here, mut elsewhere) = (Server::default(), Server::default());
    let (mut a, mut b) = (Device::new(1), Device::new(2));
    let places = a.run(&[room(1), bed(10, 1), doctor(900)]).expect("fits");
    here.push(&places).expect("accepted");
    let patients = a.run(&[patient(20, "P-1"), patient(21, "P-2")]).expect("fits");
    a.sync(&mut elsewhere);
    b.sync(&mut elsewhere);
    (here, patients, b)
}

fn row(table: &str, row: RowId) -> RowKey {
    let table = Schema::hospital().expect(table).id;
    RowKey { table, row }
}

#[test]
fn a_reference_to_a_row_that_has_not_come_waits_for_it() {
    let (mut here, patients, mut b) = roaming();
    let admission = opened(&b.run(&[admit(10, 20, "2026-01-01T10:00:00Z")]).expect("fits"));
    let missing = BTreeSet::from([Awaited::Row(row("patients", id(20)))]);
    // A hub gives no places, and waits too.
    for place in [Place::Stream(Seq(99)), Place::Pending] {
        let judged = judge_at(place, &here.store, &admission, Role::Admin, false);
        assert_eq!(judged, Judged::Waits(missing.clone()));
    }
    here.push(&patients).expect("accepted");
    assert_eq!(judge(&here.store, &admission, Role::Admin, false), Judged::Accepted);
}

#[test]
fn changes_and_rows_are_waited_for_together() {
    let (here, patients, mut b) = roaming();
    let both = [
        edit("patients", id(20), &[("phone", "1")]),
        treatment(50, id(21)),
        treatment(51, id(20)),
    ];
    let both = opened(&b.run(&both).expect("fits"));
    let first = opened(&patients).body.changes[0];
    // Patient 20 is there as soon as the change that this builds on is.
    let missing = BTreeSet::from([Awaited::Change(first), Awaited::Row(row("patients", id(21)))]);
    assert_eq!(judge(&here.store, &both, Role::Admin, false), Judged::Waits(missing));
}

#[test]
fn what_can_be_refused_without_the_row_is_refused_at_once() {
    let (here, _, mut b) = roaming();
    let admission = opened(&b.run(&[admit(10, 20, "2026-01-01T10:00:00Z")]).expect("fits"));
    let Judged::Refused(rejection) = judge(&here.store, &admission, Role::Auditor, false) else {
        panic!("an auditor admits nobody");
    };
    assert_eq!(rejection.code, "not_allowed");
    let Judged::Refused(rejection) = judge(&here.store, &admission, Role::Admin, true) else {
        panic!("an import brings all that it refers to");
    };
    assert_eq!(rejection.code, "broken_reference");
}

#[test]
fn rows_that_refer_to_each_other_in_one_transaction_wait_for_nothing() {
    let (here, _, mut b) = roaming();
    let all = [
        bed(11, 2),
        room(2),
        patient(30, "P-3"),
        admit(11, 30, "2026-01-01T10:00:00Z"),
    ];
    let all = opened(&b.run(&all).expect("fits"));
    assert_eq!(judge(&here.store, &all, Role::Admin, false), Judged::Accepted);
}

#[test]
fn who_makes_a_row_brings_it_and_who_writes_to_it_only_shows_that_it_is_there() {
    let (_, patients, mut b) = roaming();
    let made = opened(&patients);
    let patient = Awaited::Row(row("patients", id(20)));
    assert!(brought(&made).any(|one| one == patient));
    assert!(arrived(&made).any(|one| one == patient));
    let edited = opened(&b.run(&[edit("patients", id(20), &[("phone", "1")])]).expect("fits"));
    assert_eq!(
        brought(&edited).collect::<Vec<_>>(),
        [Awaited::Change(edited.body.changes[0])]
    );
    assert!(arrived(&edited).any(|one| one == patient));
}

#[test]
fn a_refusal_for_a_row_that_does_not_come_names_the_reference() {
    let (_, patients, mut b) = roaming();
    let admission = opened(&b.run(&[admit(10, 20, "2026-01-01T10:00:00Z")]).expect("fits"));
    let awaited = Awaited::Row(row("patients", id(20)));
    for (why, words) in [(Why::Refused, "was refused"), (Why::Expired, "30 days")] {
        let rejection = Unmet { awaited, why }.rejection(&admission);
        assert_eq!((rejection.code, rejection.table.as_str()), ("broken_reference", "beds"));
        assert_eq!(rejection.column.as_deref(), Some("patient_id"));
        let text = rejection.to_string();
        for word in [words, "patients", &id(10).to_string(), &id(20).to_string()] {
            assert!(text.contains(word), "{text} does not say {word}");
        }
    }
    // In a circle it is the row that it makes itself.
    let why = Why::Circle;
    let rejection = Unmet { awaited, why }.rejection(&opened(&patients));
    assert_eq!(
        (rejection.code, rejection.table.as_str()),
        ("circular_dependency", "patients")
    );
}

#[test]
fn what_is_awaited_is_stored_and_read_back() {
    let document = DocumentId::main(Schema::hospital().expect("patients").id, id(20));
    let hash = holdfast_core::ids::ChangeHash([7; 32]);
    for awaited in [
        Awaited::Change(ChangeName { document, hash }),
        Awaited::Row(row("patients", id(20))),
    ] {
        assert_eq!(Awaited::from_parts(awaited.document(), awaited.hash()), Some(awaited));
    }
    assert_eq!(Awaited::from_parts(document, &[7; 31]), None);
}
