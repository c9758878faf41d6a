//! Rows that go without having been deleted, because what made them was refused or withdrawn, and rows that cannot be shown yet:
//! what is left is what a store shows that never heard of them.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::{
    document::{Document, DocumentId, Place},
    ids::{RowId, Seq, Timestamp},
    ingest::{Authority, Claim, Claimant, Job, RowKey},
    row::{Row, RowWrite},
    schema::Schema,
    value::Value,
};
use proptest::prelude::*;
use support::*;

/// What a store shows, and who claims what.
type Shown = (BTreeMap<RowKey, Row>, BTreeMap<Claim, Vec<Claimant>>);

fn shown(store: &MemoryStore) -> Shown {
    let claims = store.claims.iter().filter(|(_, claimants)| !claimants.is_empty());
    let claims = claims.map(|(claim, claimants)| (claim.clone(), claimants.clone()));
    (store.rows.clone(), claims.collect())
}

fn replace(store: &mut MemoryStore, documents: &BTreeMap<DocumentId, Document>) {
    let now = Timestamp(1);
    let documents = &to_share(documents);
    let job = Job::Replace { documents, now };
    store.carry_out(&job).expect("nobody judges");
    store.documents.retain(|_, document| !document.is_empty());
    let documents = &store.documents;
    store
        .shown
        .retain(|key, _| documents.contains_key(&DocumentId::main(key.table, key.row)));
}

/// Takes rows out, all of them together.
fn take(store: &mut MemoryStore, rows: &BTreeSet<RowKey>) {
    let gone = store.documents.keys().filter(|id| rows.contains(&RowKey::of(id)));
    let gone = gone.map(|id| (*id, Document::default())).collect();
    replace(store, &gone);
}

/// A store that has only ever heard of what this one has.
fn anew(store: &MemoryStore) -> MemoryStore {
    let mut other = MemoryStore::default();
    replace(&mut other, &store.documents);
    other
}

fn row(table: &str, number: u128) -> RowKey {
    let table = Schema::hospital().expect(table).id;
    RowKey { table, row: id(number) }
}

fn staff(number: u128, user: u128, employee: &str) -> RowWrite {
    let (user, department) = (id(user).to_string(), id(5).to_string());
    let values = [
        ("user_id", user.as_str()),
        ("department_id", &department),
        ("employee_id", employee),
        ("position", "ward"),
        ("hire_date", "2020-01-01"),
    ];
    create("staff", id(number), &values)
}

fn department() -> RowWrite {
    create("departments", id(5), &[("name", "Surgery")])
}

fn user(number: u128) -> RowWrite {
    let (name, email) = (format!("u{number}"), format!("u{number}@example.org"));
    let values = [
        ("username", name.as_str()),
        ("email", &email),
        ("role", "nurse"),
        ("first_name", "U"),
        ("last_name", "V"),
    ];
    create("users", id(number), &values)
}

/// What a device has done, as a store has it that follows the stream.
fn followed(writes: &[&[RowWrite]]) -> (MemoryStore, Device) {
    let (mut device, mut follower) = (Device::new(1), Device::new(2));
    let mut server = Server::default();
    for writes in writes {
        device.run(writes).expect("fits");
    }
    assert_eq!(device.sync(&mut server), vec![]);
    follower.pull(&server);
    (follower.store, device)
}

fn ward() -> (MemoryStore, Device) {
    followed(&[
        &[room(1), bed(10, 1), doctor(900), patient(20, "P-1")],
        &[
            admit(10, 20, "2026-01-01T10:00:00Z"),
            treatment(50, id(20)),
            department(),
            user(901),
            staff(60, 901, "E-1"),
        ],
    ])
}

#[test]
fn a_row_that_goes_leaves_no_reference_to_it_behind() {
    let (mut store, _) = ward();
    take(&mut store, &BTreeSet::from([row("patients", 20)]));
    store.check_constraints();
    assert_eq!(store.value("beds", id(10), "patient_id"), Some(Value::Null));
    assert_eq!(store.table("treatment_records"), Vec::<&Row>::new());
    assert_eq!(shown(&store), shown(&anew(&store)));
}

#[test]
fn a_row_that_goes_with_what_referred_to_it_in_the_same_documents_leaves_none_behind_either() {
    let (mut store, _) = ward();
    // What refers to it is put back to what it was: the same.
    let mut documents: BTreeMap<_, _> = store.documents.clone();
    documents.retain(|id, _| *id == DocumentId::main(Schema::hospital().expect("treatment_records").id, id.row));
    let patients = Schema::hospital().expect("patients").id;
    documents.insert(DocumentId::main(patients, id(20)), Document::default());
    replace(&mut store, &documents);
    store.check_constraints();
    assert_eq!(shown(&store), shown(&anew(&store)));
}

#[test]
fn a_row_that_cannot_be_shown_yet_claims_nothing() {
    let (mut store, mut device) = ward();
    // The follower does not have the user.
    let other = device.run(&[user(902), staff(61, 902, "E-2")]).expect("fits");
    let mut part = opened(&other);
    part.body.changes.retain(|name| name.document.row != id(902));
    part.changes.remove(0);
    let follow = |store: &mut MemoryStore, opened, seq| {
        let job = Job::Ingest {
            opened,
            place: Place::Stream(Seq(seq)),
            authority: Authority::Follow,
        };
        store.carry_out(&job).expect("the stream is followed");
    };
    follow(&mut store, &part, 90);
    store.check_constraints();
    assert_eq!(store.value("staff", id(61), "employee_id"), None);
    // Somebody else's number is the same, and shown as it is.
    let next = opened(
        &device
            .run(&[
                edit("staff", id(61), &[("employee_id", "E-3")]),
                user(903),
                staff(62, 903, "E-2"),
            ])
            .expect("fits"),
    );
    let mut without = next.clone();
    without.changes.remove(0);
    without.body.changes.remove(0);
    follow(&mut store, &without, 91);
    let number = Value::Text("E-2".into());
    assert_eq!(store.value("staff", id(62), "employee_id"), Some(number.clone()));
    // It is withdrawn, and never was.
    take(&mut store, &BTreeSet::from([row("staff", 61)]));
    assert_eq!(shown(&store), shown(&anew(&store)));
    assert_eq!(store.value("staff", id(62), "employee_id"), Some(number));
}

#[test]
fn a_deleted_row_is_not_brought_back_by_one_that_cannot_be_shown() {
    let (mut store, _) = followed(&[
        &[room(1), bed(10, 1), doctor(900), patient(20, "P-1")],
        &[treatment(50, id(20))],
        &[delete("treatment_records", id(50)), delete("patients", id(20))],
    ]);
    assert_eq!(store.value("patients", id(20), "patient_number"), None);
    let (other, _) = ward();
    let mut documents = other.documents.clone();
    let treatments = Schema::hospital().expect("treatment_records").id;
    documents.retain(|id, _| id.table == treatments);
    // The treatment's doctor is not there.
    take(&mut store, &BTreeSet::from([row("users", 900)]));
    replace(&mut store, &documents);
    store.check_constraints();
    assert_eq!(store.value("patients", id(20), "patient_number"), None);
    assert_eq!(shown(&store), shown(&anew(&store)));
}

/// A hospital in which things refer to each other in some way.
fn hospital() -> impl Strategy<Value = Vec<RowWrite>> {
    let number = 0..3_u128;
    let one = prop_oneof![
        2 => (0..4_u128, number.clone()).prop_map(|(bed, patient)| admit(10 + bed, 20 + patient, "2026-01-01T10:00:00Z")),
        2 => (50..54_u128, number.clone()).prop_map(|(n, patient)| treatment(n, RowId(id(20 + patient).0))),
        2 => (60..63_u128, number.clone(), number.clone())
            .prop_map(|(n, user, employee)| staff(n, 901 + user, &format!("E-{employee}"))),
        1 => number.clone().prop_map(|n| edit("patients", id(20 + n), &[("patient_number", "P-9")])),
        1 => number.clone().prop_map(|n| delete("patients", id(20 + n))),
        1 => number.clone().prop_map(|n| delete("users", id(901 + n))),
        1 => (50..54_u128).prop_map(|n| delete("treatment_records", id(n))),
        1 => (60..63_u128).prop_map(|n| delete("staff", id(n))),
        1 => number.prop_map(|n| delete("rooms", id(1 + n))),
    ];
    prop::collection::vec(one, 0..14)
}

fn built(acts: &[RowWrite]) -> MemoryStore {
    let (mut devices, mut server) = ([Device::new(1), Device::new(2), Device::new(3)], Server::default());
    let mut begin = vec![doctor(900), department()];
    begin.extend((0..3).flat_map(|n| [room(1 + n), patient(20 + n, &format!("P-{n}")), user(901 + n)]));
    begin.extend((0..4).map(|n| bed(10 + n, 1 + n % 3)));
    devices[0].run(&begin).expect("fits");
    devices[0].sync(&mut server);
    devices[1].pull(&server);
    for (n, act) in acts.iter().enumerate() {
        // Two work apart: what one deletes the other may use. What a device itself refuses is not done.
        let _ = devices[n % 2].run_if_new(std::slice::from_ref(act));
    }
    for device in &mut devices {
        device.sync(&mut server);
    }
    let [.., follower] = devices;
    follower.store
}

proptest! {
    #[test]
    fn what_is_left_is_what_a_store_shows_that_never_heard_of_what_went(
        acts in hospital(),
        picks in prop::collection::vec(prop::collection::vec(0..30_usize, 1..5), 1..4),
    ) {
        let mut store = built(&acts);
        store.check_constraints();
        prop_assert_eq!(shown(&store), shown(&anew(&store)));
        for picks in picks {
            let rows: Vec<RowKey> = store.shown.keys().copied().collect();
            let gone = picks.iter().filter_map(|pick| rows.get(pick % rows.len().max(1)).copied()).collect();
            take(&mut store, &gone);
            store.check_constraints();
            prop_assert_eq!(shown(&store), shown(&anew(&store)));
        }
    }
}
