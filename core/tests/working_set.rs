//! Transactions that share a working set, all loaded beforehand and written at the end, do what they do with a set for each.

mod support;

use std::{cell::Cell, collections::BTreeMap};

use holdfast_core::{
    document::{Document, DocumentId, Facet, Place},
    ids::{RowId, Seq, Timestamp},
    ingest::{Attempt, Authority, Job, Needs, Rejection, WorkingSet},
    policy::Role,
    row::{RowAction, RowWrite},
    schema::Schema,
    transaction::Opened,
    value::Value,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use support::*;

const DEVICES: usize = 3;

/// What a person does on a device that knows the rows of the beginning and its own.
#[derive(Clone, Debug)]
enum Act {
    Register { number: u8 },
    RegisterRefused { number: u8 },
    Renumber { patient: usize, number: u8 },
    Admit { bed: usize, patient: usize },
    Empty { bed: usize },
    Note { patient: usize, text: String },
    Treat { patient: usize },
    Move { treatment: usize, patient: usize },
    Delete { table: &'static str, row: usize },
    Round { bed: usize, patient: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let table = prop_oneof![Just("patients"), Just("treatment_records"), Just("beds"), Just("rooms")];
    prop_oneof![
        3 => (0..5u8).prop_map(|number| Act::Register { number }),
        1 => (0..5u8).prop_map(|number| Act::RegisterRefused { number }),
        2 => (0..9usize, 0..5u8).prop_map(|(patient, number)| Act::Renumber { patient, number }),
        4 => (0..6usize, 0..9usize).prop_map(|(bed, patient)| Act::Admit { bed, patient }),
        2 => (0..6usize).prop_map(|bed| Act::Empty { bed }),
        3 => (0..9usize, "[a-c ]{0,5}").prop_map(|(patient, text)| Act::Note { patient, text }),
        2 => (0..9usize).prop_map(|patient| Act::Treat { patient }),
        1 => (0..4usize, 0..9usize).prop_map(|(treatment, patient)| Act::Move { treatment, patient }),
        2 => (table, 0..9usize).prop_map(|(table, row)| Act::Delete { table, row }),
        1 => (0..6usize, 0..9usize).prop_map(|(bed, patient)| Act::Round { bed, patient }),
    ]
}

struct World {
    server: Server,
    devices: Vec<Device>,
    made: u128,
}

impl World {
    fn new() -> Self {
        let (mut server, mut devices) = (Server::default(), Vec::new());
        devices.extend((1..=DEVICES as u8).map(Device::new));
        let mut rows = vec![room(1), room(2), doctor(900)];
        rows.extend((10..16).map(|n| bed(n, 1 + n % 2)));
        rows.extend((0..9).map(|n| patient(100 + n, &format!("P-{n}"))));
        rows.extend((0..4).map(|n| treatment(300 + n, id(100 + n))));
        rows.push(admit(10, 100, "2026-01-01T09:00:00Z"));
        for row in rows {
            devices[0].run(&[row]).expect("fits");
        }
        assert_eq!(devices[0].sync(&mut server), vec![]);
        // What nobody used is gone already, for somebody to use.
        devices[0].run(&[delete("patients", id(108))]).expect("fits");
        for device in &mut devices[1..] {
            device.pull(&server);
        }
        assert_eq!(devices[0].sync(&mut server), vec![]);
        Self {
            server,
            devices,
            made: 1_000,
        }
    }

    /// Carries it out on a device that hears of nobody else's.
    fn act(&mut self, device: usize, act: &Act) {
        self.made += 1;
        let (new, device) = (id(self.made), &mut self.devices[device]);
        let any = |table: &str, n: usize| {
            let rows = device.store.table(table);
            (!rows.is_empty()).then(|| rows[n % rows.len()].id)
        };
        let writes = match act {
            Act::Register { number } | Act::RegisterRefused { number } => {
                Some(vec![patient(self.made, &format!("P-{number}"))])
            }
            Act::Renumber { patient, number } => any("patients", *patient)
                .map(|row| vec![edit("patients", row, &[("patient_number", &format!("P-{number}"))])]),
            Act::Admit { bed, patient } => any("beds", *bed)
                .zip(any("patients", *patient))
                .map(|(bed, patient)| vec![lay(bed, patient)]),
            Act::Empty { bed } => {
                any("beds", *bed).map(|bed| vec![edit("beds", bed, &[("patient_id", ""), ("status", "cleaning")])])
            }
            Act::Note { patient, text } => {
                any("patients", *patient).map(|row| vec![edit("patients", row, &[("allergies", text)])])
            }
            Act::Treat { patient } => {
                any("patients", *patient).map(|patient| vec![treatment(new.0.as_u128(), patient)])
            }
            Act::Move { treatment, patient } => any("treatment_records", *treatment)
                .zip(any("patients", *patient))
                .map(|(row, patient)| vec![edit("treatment_records", row, &[("patient_id", &patient.to_string())])]),
            Act::Delete { table, row } => any(table, *row).map(|row| vec![delete(table, row)]),
            Act::Round { bed, patient } => any("beds", *bed).zip(any("patients", *patient)).map(|(bed, patient)| {
                vec![
                    lay(bed, patient),
                    treatment(new.0.as_u128(), patient),
                    edit("patients", patient, &[("phone", "1")]),
                ]
            }),
        };
        let Some(mut writes) = writes else { return };
        // A device may itself refuse (a deleted room is still used); then there is nothing to send.
        let _ = if matches!(act, Act::RegisterRefused { .. }) {
            give_time(&mut writes[0]);
            device.import(&writes)
        } else {
            device.run_if_new(&writes)
        };
    }

    /// All outboxes, each in its order, one device's turn after another's as `turns` says.
    fn batch(&self, turns: &[usize]) -> Vec<Opened> {
        let mut outboxes: Vec<_> = self.devices.iter().map(|d| d.outbox.iter()).collect();
        let mut batch: Vec<Opened> = turns.iter().filter_map(|d| outboxes[*d].next()).map(opened).collect();
        batch.extend(outboxes.into_iter().flatten().map(opened));
        batch
    }
}

fn lay(bed: RowId, patient: RowId) -> RowWrite {
    admit(bed.0.as_u128(), patient.0.as_u128(), "2026-01-01T10:00:00Z")
}

/// Only an import may set it.
fn give_time(write: &mut RowWrite) {
    let RowAction::Create(values) = &mut write.action else {
        panic!("a new row")
    };
    let column = Schema::hospital().expect("patients").expect("updated_at").id;
    values.push((column, Value::Null));
}

const JUDGE: Authority = Authority::Judge {
    role: Role::Admin,
    import: false,
};

type Outcomes = Vec<Result<Seq, Option<Rejection>>>;

/// The server's end of the stream before the batch.
const AFTER: Seq = Seq(1_000);

/// Judges the next transaction; `None` is the answer for what builds on something that is not there.
fn judge(
    store: &mut MemoryStore,
    set: &mut WorkingSet,
    opened: &Opened,
    head: &mut Seq,
) -> Result<Seq, Option<Rejection>> {
    let place = Place::Stream(head.next());
    let job = Job::Ingest {
        opened,
        place,
        authority: JUDGE,
    };
    loop {
        match set.attempt(&job) {
            Attempt::Load(needs) => store.load(&needs, set),
            Attempt::Write(effects) => store.write(*effects),
            Attempt::Missing(_) => return Err(None),
            Attempt::Done(Err(rejection)) => return Err(Some(rejection)),
            Attempt::Done(Ok(())) => break,
        }
    }
    *head = head.next();
    Ok(*head)
}

/// Writes what was done, with the changes of what was accepted.
fn write<'a>(store: &mut MemoryStore, set: &mut WorkingSet, done: impl Iterator<Item = (&'a Opened, bool)>) {
    store.write(set.take_effects());
    let accepted = done.filter(|(_, accepted)| *accepted).map(|(opened, _)| opened);
    let changes = accepted.flat_map(|opened| &opened.body.changes);
    store.changes.extend(changes.map(|c| (c.document, c.hash)));
}

/// Each with a set of its own, written before the next.
fn apart(store: &mut MemoryStore, batch: &[Opened]) -> Outcomes {
    let mut head = AFTER;
    let mut one = |opened| {
        let mut set = WorkingSet::default();
        let outcome = judge(store, &mut set, opened, &mut head);
        write(store, &mut set, [(opened, outcome.is_ok())].into_iter());
        outcome
    };
    batch.iter().map(&mut one).collect()
}

/// As a server does it: one set, loaded with all that can be told beforehand, written at the end.
fn together(store: &mut MemoryStore, batch: &[Opened], after: Seq) -> Outcomes {
    let (mut set, mut head) = (WorkingSet::default(), after);
    for opened in batch {
        store.load(&Needs::of(opened), &mut set);
    }
    let outcomes: Outcomes = batch
        .iter()
        .map(|opened| judge(store, &mut set, opened, &mut head))
        .collect();
    write(store, &mut set, batch.iter().zip(outcomes.iter().map(Result::is_ok)));
    outcomes
}

/// Compares part by part, so that a failure shows what differs.
fn assert_same(one: &MemoryStore, other: &MemoryStore) {
    assert_eq!(one.rows, other.rows);
    assert_eq!(one.conflicts, other.conflicts);
    assert_eq!(one.claims, other.claims);
    assert_eq!(one.documents, other.documents);
    assert_eq!(one.shown, other.shown);
    assert!(one == other);
}

/// What both ways come to, if it is the same.
fn check(world: &World, batch: &[Opened]) -> Outcomes {
    let (mut expected, mut store) = (world.server.store.clone(), world.server.store.clone());
    let outcomes = apart(&mut expected, batch);
    assert_eq!(together(&mut store, batch, AFTER), outcomes);
    assert_same(&store, &expected);
    // The second of two sets meets what the first one wrote.
    let mut store = world.server.store.clone();
    let (first, second) = batch.split_at(batch.len() / 2);
    let mut parted = together(&mut store, first, AFTER);
    let accepted = parted.iter().flatten().last().copied();
    parted.extend(together(&mut store, second, accepted.unwrap_or(AFTER)));
    assert_eq!(parted, outcomes);
    assert_same(&store, &expected);
    outcomes
}

#[test]
fn any_transactions_do_in_one_working_set_what_each_does_in_its_own() {
    let cases = 120;
    let acts = proptest::collection::vec((0..DEVICES, act()), 1..40);
    let turns = proptest::collection::vec(0..DEVICES, 0..40);
    let refusing = Cell::new(0);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&(acts, turns), |(acts, turns)| {
        let mut world = World::new();
        for (device, act) in &acts {
            world.act(*device, act);
        }
        let outcomes = check(&world, &world.batch(&turns));
        refusing.set(refusing.get() + u32::from(outcomes.iter().any(Result::is_err)));
        Ok(())
    });
    result.unwrap_or_else(|failed| panic!("{failed}"));
    assert!(refusing.get() > cases / 20, "only {} had a refusal", refusing.get());
}

#[test]
fn a_row_that_one_deletes_and_others_use_is_the_same_in_one_set_in_any_order() {
    let mut world = World::new();
    world.act(
        0,
        &Act::Delete {
            table: "patients",
            row: 4,
        },
    );
    world.act(1, &Act::Admit { bed: 3, patient: 4 });
    world.act(2, &Act::Treat { patient: 4 });
    world.act(
        2,
        &Act::Note {
            patient: 5,
            text: "nuts".into(),
        },
    );
    for turns in [[0, 1, 2, 2], [1, 0, 2, 2], [2, 1, 0, 2]] {
        check(&world, &world.batch(&turns));
    }
}

/// Each time that something is missing, a page of thousands of rows is worked out anew.
#[test]
fn a_page_of_a_snapshot_asks_once_for_all_that_it_needs() {
    let mut device = Device::new(1);
    let admitted = admit(4, 1, "2026-01-05T08:00:00Z");
    for write in [
        patient(1, "P-1"),
        doctor(900),
        treatment(2, id(1)),
        room(3),
        bed(4, 3),
        admitted,
    ] {
        device.run(&[write]).expect("fits");
    }
    let refers = [
        Schema::hospital().expect("treatment_records").id,
        Schema::hospital().expect("beds").id,
    ];
    let all = device.store.documents.clone().into_iter();
    let (later, first): (BTreeMap<_, _>, BTreeMap<_, _>) = all.partition(|(id, _)| refers.contains(&id.table));
    let mut replica = MemoryStore::default();
    for page in [first, later] {
        let (documents, now) = (&to_share(&page), Timestamp(0));
        let (job, mut set) = (Job::Replace { documents, now }, WorkingSet::default());
        let Attempt::Load(needs) = set.attempt(&job) else {
            panic!("nothing is loaded yet");
        };
        replica.load(&needs, &mut set);
        let done = set.attempt(&job);
        assert!(matches!(done, Attempt::Done(Ok(()))), "{done:?}");
        replica.write(set.take_effects());
    }
    assert_eq!(replica.rows, device.store.rows);
    assert_eq!(replica.claims, device.store.claims);
}

/// No server makes one. Whoever does must not keep a device busy for ever.
#[test]
fn a_copied_document_of_restricted_columns_that_its_table_has_not_is_taken_as_it_is() {
    let mut device = Device::new(1);
    device.run(&[patient(1, "P-1")]).expect("fits");
    let (main, document) = device.store.documents.first_key_value().expect("it was made");
    let odd = DocumentId {
        facet: Facet::Restricted,
        ..*main
    };
    let documents = BTreeMap::from([(*main, document.clone()), (odd, document.clone())]);
    let (documents, now) = (&to_share(&documents), Timestamp(0));
    let (mut copy, mut set) = (MemoryStore::default(), WorkingSet::default());
    let job = Job::Replace { documents, now };
    let Attempt::Load(needs) = set.attempt(&job) else {
        panic!("nothing is loaded yet");
    };
    copy.load(&needs, &mut set);
    let done = set.attempt(&job);
    assert!(matches!(done, Attempt::Done(Ok(()))), "{done:?}");
    copy.write(set.take_effects());
    assert_eq!(copy.rows, device.store.rows);
}

/// A row is worked on twice: it is there as long as the row that refers to it, and that one goes after it. Its number of
/// before is claimed in between.
#[test]
fn a_deleted_row_that_falls_with_what_referred_to_it_claims_nothing_any_more() {
    let mut device = Device::new(1);
    for write in [patient(1, "P-1"), doctor(900)] {
        device.run(&[write]).expect("fits");
    }
    let mut gone = device.store.clone();
    let mut other = Device::new(2);
    other.store = device.store.clone();
    let deletion = opened(&other.run(&[delete("patients", id(1))]).expect("fits"));
    let writes = [
        treatment(2, id(1)),
        edit("patients", id(1), &[("patient_number", "P-9")]),
    ];
    for write in writes {
        device.run(&[write]).expect("fits");
    }
    let follow = Job::Ingest {
        opened: &deletion,
        place: Place::Stream(Seq(9)),
        authority: Authority::Follow,
    };
    device.store.carry_out(&follow).expect("is followed");
    assert_eq!(device.store.table("patients").len(), 1, "a treatment refers to it");
    gone.carry_out(&follow).expect("is followed");

    let treatments = Schema::hospital().expect("treatment_records").id;
    let mut documents = BTreeMap::from([(DocumentId::main(treatments, id(2)), Document::default())]);
    let patients = Schema::hospital().expect("patients").id;
    let patient = DocumentId::main(patients, id(1));
    documents.insert(patient, gone.documents[&patient].clone());
    let now = Timestamp(0);
    let documents = &to_share(&documents);
    device
        .store
        .carry_out(&Job::Replace { documents, now })
        .expect("is put back");
    device.store.claims.retain(|_, claimants| !claimants.is_empty());
    gone.claims.retain(|_, claimants| !claimants.is_empty());
    assert_eq!(device.store.rows, gone.rows);
    assert_eq!(device.store.claims, gone.claims);
}
