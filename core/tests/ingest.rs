//! What follows from what two people did without knowing of each other.

mod support;

use holdfast_core::{
    document::{DecodedChange, Place},
    ids::{Seq, Timestamp},
    ingest::{Authority, ConflictKind, Job},
    policy::Role,
    row::RowAction,
    schema::Schema,
    value::Value,
};
use support::*;

/// A server and two devices that know a room, two beds and two patients.
fn ward() -> (Server, Device, Device) {
    let (mut server, mut a, mut b) = (Server::default(), Device::new(1), Device::new(2));
    let rows = [room(1), bed(10, 1), bed(11, 1), patient(20, "P-1"), patient(21, "P-2")];
    a.run(&rows).expect("fits");
    a.sync(&mut server);
    b.sync(&mut server);
    (server, a, b)
}

fn settle(server: &mut Server, first: &mut Device, second: &mut Device) {
    assert_eq!(first.sync(server), vec![]);
    assert_eq!(second.sync(server), vec![]);
    first.sync(server);
    for device in [&first, &second] {
        assert_eq!(device.store.rows, server.store.rows);
        assert_eq!(conflicts(&device.store), conflicts(&server.store));
        device.store.check_constraints();
    }
    server.store.check_constraints();
}

/// Kind, column, and each side's value and whether it is shown.
type Found = (ConflictKind, String, Vec<(Value, bool)>);

fn conflicts(store: &MemoryStore) -> Vec<Found> {
    let mut all: Vec<_> = store
        .conflicts
        .values()
        .map(|c| {
            let sides = c.sides.iter().map(|s| (s.value.clone(), s.shown)).collect();
            (c.kind, c.column.unwrap_or_default().to_owned(), sides)
        })
        .collect();
    all.sort();
    all
}

fn uuid(number: u128) -> Value {
    Value::Uuid(id(number).0)
}

#[test]
fn a_bed_claimed_twice_offline_goes_to_the_first_in_stream_order() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[edit("patients", id(20), &[("phone", "1")])]).expect("fits");
    a.run(&[admit(10, 20, "2026-01-01T10:00:00Z")]).expect("fits");
    b.run(&[admit(10, 21, "2026-01-01T11:00:00Z")]).expect("fits");
    // b reaches the hospital first, though a's Lamport clock is ahead.
    settle(&mut server, &mut b, &mut a);
    assert_eq!(server.store.value("beds", id(10), "patient_id"), Some(uuid(21)));
    let when = server
        .store
        .value("beds", id(10), "admission_date")
        .expect("there")
        .to_sql_text();
    assert_eq!(
        when.as_deref(),
        Some("2026-01-01T11:00:00.000000Z"),
        "the holder's admission goes with the bed"
    );
    let found = conflicts(&server.store);
    assert!(found.contains(&(
        ConflictKind::Claim,
        "patient_id".into(),
        vec![(uuid(21), true), (uuid(20), false)]
    )));
    let task = server
        .store
        .conflicts
        .values()
        .map(|c| c.task.clone())
        .find(|t| t.contains("find a bed"));
    assert!(task.is_some(), "it is somebody's task");
}

#[test]
fn a_settled_bed_has_no_conflict_left() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[admit(10, 20, "2026-01-01T10:00:00Z")]).expect("fits");
    b.run(&[admit(10, 21, "2026-01-01T11:00:00Z")]).expect("fits");
    settle(&mut server, &mut a, &mut b);
    let here = id(21).to_string();
    b.run(&[edit(
        "beds",
        id(10),
        &[("patient_id", &here), ("admission_date", "2026-01-01T11:00:00Z")],
    )])
    .expect("fits");
    settle(&mut server, &mut b, &mut a);
    assert_eq!(conflicts(&server.store), vec![]);
    assert_eq!(server.store.value("beds", id(10), "patient_id"), Some(uuid(21)));
}

#[test]
fn a_patient_put_into_two_beds_lies_in_the_first_in_stream_order() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[admit(10, 20, "2026-01-01T10:00:00Z")]).expect("fits");
    b.run(&[admit(11, 20, "2026-01-01T11:00:00Z")]).expect("fits");
    settle(&mut server, &mut b, &mut a);
    assert_eq!(server.store.value("beds", id(11), "patient_id"), Some(uuid(20)));
    assert_eq!(server.store.value("beds", id(10), "patient_id"), Some(Value::Null));
    assert_eq!(
        conflicts(&server.store),
        vec![(
            ConflictKind::Claim,
            "patient_id".into(),
            vec![(Value::Null, true), (uuid(20), false)]
        )]
    );
    // The first bed is emptied: the other one's claim has its turn.
    b.run(&[edit("beds", id(11), &[("patient_id", ""), ("status", "cleaning")])])
        .expect("fits");
    settle(&mut server, &mut b, &mut a);
    assert_eq!(server.store.value("beds", id(10), "patient_id"), Some(uuid(20)));
    assert_eq!(conflicts(&server.store), vec![]);
}

#[test]
fn a_number_given_to_two_patients_stays_with_the_first_and_the_other_is_marked() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[patient(30, "P-9")]).expect("fits");
    b.run(&[patient(31, "P-9")]).expect("fits");
    settle(&mut server, &mut b, &mut a);
    let number = |row| {
        server
            .store
            .value("patients", id(row), "patient_number")
            .expect("there")
            .to_sql_text()
    };
    assert_eq!(number(31).as_deref(), Some("P-9"));
    assert_eq!(number(30).as_deref(), Some("P-9~0000001e"));
    assert_eq!(conflicts(&server.store).len(), 1);
    a.run(&[edit("patients", id(30), &[("patient_number", "P-10")])])
        .expect("fits");
    settle(&mut server, &mut a, &mut b);
    assert_eq!(conflicts(&server.store), vec![]);
}

#[test]
fn edits_of_different_columns_both_survive_without_a_conflict() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[edit("patients", id(20), &[("phone", "123")])]).expect("fits");
    b.run(&[edit("patients", id(20), &[("blood_type", "0+")])])
        .expect("fits");
    settle(&mut server, &mut a, &mut b);
    let text = |column| {
        server
            .store
            .value("patients", id(20), column)
            .expect("there")
            .to_sql_text()
    };
    assert_eq!(
        (text("phone").as_deref(), text("blood_type").as_deref()),
        (Some("123"), Some("0+"))
    );
    assert_eq!(conflicts(&server.store), vec![]);
}

#[test]
fn different_values_in_a_review_column_are_a_conflict_with_both_sides_until_a_person_settles_it() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[edit("patients", id(20), &[("blood_type", "A-")])])
        .expect("fits");
    b.run(&[edit("patients", id(20), &[("blood_type", "0+")])])
        .expect("fits");
    settle(&mut server, &mut a, &mut b);
    let sides = &conflicts(&server.store)[0].2;
    assert_eq!(sides.len(), 2);
    assert_eq!(sides.iter().filter(|(_, shown)| *shown).count(), 1);
    a.run(&[edit("patients", id(20), &[("blood_type", "A-")])])
        .expect("fits");
    settle(&mut server, &mut a, &mut b);
    assert_eq!(conflicts(&server.store), vec![]);
}

#[test]
fn stock_taken_on_two_devices_adds_up_and_below_zero_is_somebodys_task() {
    let (mut server, mut a, mut b) = ward();
    let supply = [
        ("item_code", "S-1"),
        ("name", "Gauze"),
        ("category_id", ""),
        ("unit_of_measure", "pack"),
    ];
    let category = create("supply_categories", id(40), &[("name", "Wound care")]);
    let category_id = id(40).to_string();
    let mut values = supply.to_vec();
    values[2].1 = &category_id;
    values.push(("current_stock", "10"));
    a.run(&[category, create("supplies", id(41), &values)]).expect("fits");
    settle(&mut server, &mut a, &mut b);
    a.run(&[add("supplies", id(41), "current_stock", -7)]).expect("fits");
    b.run(&[add("supplies", id(41), "current_stock", -6)]).expect("fits");
    settle(&mut server, &mut a, &mut b);
    assert_eq!(
        server.store.value("supplies", id(41), "current_stock"),
        Some(Value::Int(-3))
    );
    assert_eq!(conflicts(&server.store)[0].0, ConflictKind::Negative);
}

#[test]
fn a_row_deleted_by_one_and_edited_by_another_is_kept_and_becomes_a_conflict() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[delete("patients", id(20))]).expect("fits");
    b.run(&[edit("patients", id(20), &[("phone", "123")])]).expect("fits");
    settle(&mut server, &mut a, &mut b);
    assert!(server.store.value("patients", id(20), "phone").is_some());
    assert_eq!(conflicts(&server.store)[0].0, ConflictKind::Deleted);
    b.run(&[delete("patients", id(20))]).expect("fits");
    settle(&mut server, &mut b, &mut a);
    assert_eq!(server.store.value("patients", id(20), "phone"), None);
    assert_eq!(conflicts(&server.store), vec![]);
}

#[test]
fn a_deleted_row_that_a_person_wants_back_is_back_without_a_conflict() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[delete("patients", id(20))]).expect("fits");
    b.run(&[edit("patients", id(20), &[("phone", "123")])]).expect("fits");
    settle(&mut server, &mut a, &mut b);
    b.run(&[create_nothing("patients", id(20))]).expect("fits");
    settle(&mut server, &mut b, &mut a);
    assert!(server.store.value("patients", id(20), "phone").is_some());
    assert_eq!(conflicts(&server.store), vec![]);
}

#[test]
fn a_deleted_row_that_another_device_used_comes_back_until_it_is_no_longer_used() {
    let (mut server, mut a, mut b) = ward();
    a.run(&[delete("patients", id(20))]).expect("fits");
    b.run(&[admit(10, 20, "2026-01-01T10:00:00Z")]).expect("fits");
    settle(&mut server, &mut a, &mut b);
    assert_eq!(server.store.value("beds", id(10), "patient_id"), Some(uuid(20)));
    assert_eq!(conflicts(&server.store)[0].0, ConflictKind::Deleted);
    a.run(&[edit("beds", id(10), &[("patient_id", "")])]).expect("fits");
    settle(&mut server, &mut a, &mut b);
    assert_eq!(
        server.store.value("patients", id(20), "phone"),
        None,
        "nobody needs it any more"
    );
    assert_eq!(conflicts(&server.store), vec![]);
}

#[test]
fn a_reference_to_a_row_that_never_was_is_refused_by_name() {
    let (server, mut a, _) = ward();
    let refused = a
        .run(&[admit(10, 99, "2026-01-01T10:00:00Z")])
        .expect_err("there is no patient 99");
    assert_eq!((refused.code, refused.table.as_str()), ("broken_reference", "beds"));
    assert_eq!(refused.column.as_deref(), Some("patient_id"));
    assert_eq!(a.store.rows, server.store.rows, "nothing changed");
}

#[test]
fn what_the_schema_forbids_is_refused_and_changes_nothing() {
    let (_, mut a, _) = ward();
    let before = a.store.rows.clone();
    let long = "x".repeat(21);
    for (write, code) in [
        (edit("patients", id(20), &[("phone", &long)]), "invalid_value"),
        (edit("beds", id(10), &[("status", "sideways")]), "invalid_value"),
        (edit("patients", id(20), &[("first_name", "")]), "invalid_value"),
        (
            edit("patients", id(20), &[("created_at", "2026-01-01T10:00:00Z")]),
            "set_once_after_creation",
        ),
        (
            edit("patients", id(20), &[("updated_at", "2026-01-01T10:00:00Z")]),
            "derived",
        ),
        (edit("patients", id(99), &[("phone", "1")]), "missing_value"),
        (
            create("patients", id(50), &[("patient_number", "P-5")]),
            "missing_value",
        ),
    ] {
        let refused = a.run(std::slice::from_ref(&write));
        match (code, refused) {
            // A row made without it may still be given the time of its making, once.
            ("set_once_after_creation", result) => {
                result.expect("it was never set");
                let again = a.run(&[edit("patients", id(20), &[("created_at", "2026-02-01T10:00:00Z")])]);
                assert_eq!(again.expect_err("set already").code, "set_once");
            }
            (code, Err(refused)) => assert_eq!(refused.code, code, "{refused}"),
            (code, Ok(_)) => panic!("{write:?} was taken, not refused as {code}"),
        }
    }
    let phone = |rows: &std::collections::BTreeMap<_, holdfast_core::row::Row>| rows.len();
    assert_eq!(phone(&before), phone(&a.store.rows));
}

#[test]
fn a_role_writes_only_what_it_may() {
    let (server, mut a, _) = ward();
    let transaction = a.run(&[edit("patients", id(20), &[("phone", "1")])]).expect("fits");
    let opened = opened(&transaction);
    for (role, allowed) in [(Role::Auditor, false), (Role::Cleaner, false), (Role::Nurse, true)] {
        let authority = Authority::Judge { role, import: false };
        let job = Job::Ingest {
            opened: &opened,
            place: Place::Stream(Seq(9)),
            authority,
        };
        let result = server.store.clone().carry_out(&job);
        assert_eq!(result.is_ok(), allowed, "{role:?}: {result:?}");
    }
}

#[test]
fn an_imported_row_keeps_its_own_times_even_an_empty_one() {
    let (_, mut a, _) = ward();
    let table = Schema::hospital().expect("patients");
    let updated_at = table.expect("updated_at").id;
    let old = Value::Timestamp(Timestamp(1_000_000_000_000_001));
    for (number, time) in [(60, old), (61, Value::Null)] {
        let mut write = patient(number, &format!("P-{number}"));
        let RowAction::Create(values) = &mut write.action else {
            panic!("a new row")
        };
        values.push((updated_at, time.clone()));
        let refused = a.run(std::slice::from_ref(&write)).expect_err("only an import may");
        assert_eq!(refused.code, "derived");
        a.import(&[write]).expect("an import may");
        assert_eq!(a.store.value("patients", id(number), "updated_at"), Some(time));
        a.run(&[edit("patients", id(number), &[("phone", "1")])]).expect("fits");
        let touched = a.store.value("patients", id(number), "updated_at");
        assert!(
            matches!(touched, Some(Value::Timestamp(_))),
            "an edit gives it a time: {touched:?}"
        );
    }
}

#[test]
fn a_transaction_that_keeps_a_change_back_or_is_of_no_time_is_refused() {
    let (mut server, mut a, _) = ward();
    let made = opened(&a.run(&[edit("patients", id(20), &[("phone", "1")])]).expect("fits"));
    let mut incomplete = made.clone();
    incomplete.changes[0] = None;
    let mut timeless = made;
    timeless.body.time = Timestamp::INFINITY;
    for (transaction, code) in [(incomplete, "incomplete"), (timeless, "invalid_time")] {
        let authority = Authority::Judge {
            role: Role::Admin,
            import: false,
        };
        let job = Job::Ingest {
            opened: &transaction,
            place: Place::Stream(Seq(9)),
            authority,
        };
        assert_eq!(server.store.carry_out(&job).expect_err("refused").code, code);
    }
}

#[test]
fn a_change_that_another_device_made_is_refused() {
    let (mut server, mut a, mut b) = ward();
    let mut stolen = opened(&a.run(&[edit("patients", id(20), &[("phone", "1")])]).expect("fits"));
    let own = opened(&b.run(&[edit("patients", id(20), &[("phone", "2")])]).expect("fits"));
    stolen.body.device = own.body.device;
    let authority = Authority::Judge {
        role: Role::Admin,
        import: false,
    };
    let job = Job::Ingest {
        opened: &stolen,
        place: Place::Stream(Seq(9)),
        authority,
    };
    assert_eq!(
        server.store.carry_out(&job).expect_err("not its own").code,
        "wrong_actor"
    );
}

#[test]
fn who_knows_only_their_own_making_of_a_row_may_edit_its_text_whichever_counts_as_first() {
    let mut smaller = 0;
    for n in 0..8 {
        let mut server = Server::default();
        let (mut ada, mut bob) = (Device::new(2 * n + 1), Device::new(2 * n + 2));
        ada.run(&[patient(1, "P-1")]).unwrap();
        bob.run(&[patient(1, "P-1")]).unwrap();
        assert_eq!(ada.sync(&mut server), vec![]);
        assert_eq!(bob.sync(&mut server), vec![]);
        let document = holdfast_core::document::DocumentId::main(Schema::hospital().expect("patients").id, id(1));
        let first = |device: &Device| device.store.documents[&document].creation;
        smaller += usize::from(first(&ada) != first(&bob));
        ada.run(&[edit("patients", id(1), &[("allergies", "nuts")])]).unwrap();
        assert_eq!(ada.sync(&mut server), vec![]);
        assert_eq!(bob.sync(&mut server), vec![]);
        assert_eq!(first(&ada), first(&bob));
        assert_eq!(bob.store.table("patients"), ada.store.table("patients"));
    }
    assert!(smaller > 0, "the one whom ada does not know never counted as the first");
}

#[test]
fn other_contents_under_the_name_of_an_expansion_are_refused_even_once_it_is_known() {
    let (mut server, mut a, _) = ward();
    let made = a
        .run(&[edit("patients", id(20), &[("allergies", "nuts")])])
        .expect("fits");
    server.push(&made).expect("accepted");
    let mut forged = opened(&made);
    assert!(
        forged.changes[0]
            .as_ref()
            .expect("there")
            .change
            .actor()
            .device()
            .is_none(),
        "an expansion"
    );
    let bytes = made.changes[0].as_ref().expect("there");
    let library = automerge::Change::from_bytes(bytes.to_vec()).expect("the library reads it");
    let mut other = library.decode();
    other.time = 5;
    let other = automerge::Change::from(other);
    let other = DecodedChange::from_bytes(other.raw_bytes()).expect("reads");
    forged.body.changes[0].hash = other.hash;
    forged.changes[0] = Some(other);
    let authority = Authority::Judge {
        role: Role::Admin,
        import: false,
    };
    let job = Job::Ingest {
        opened: &forged,
        place: Place::Stream(Seq(9)),
        authority,
    };
    assert_eq!(
        server.store.carry_out(&job).expect_err("not what anybody makes").code,
        "wrong_actor"
    );
}
