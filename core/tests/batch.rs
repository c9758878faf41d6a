//! A batch decided on several threads does exactly what its transactions do one after the other.

mod support;

use std::cell::Cell;

use holdfast_core::{
    document::Place,
    ids::{RowId, Seq},
    ingest::{Attempt, Authority, Batch, Entrant, Job, Progress, Rejection, WorkingSet},
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

/// Each by itself, on a set of its own. `None` is the answer for what builds on something that is not there.
fn one_by_one(store: &mut MemoryStore, batch: &[Opened]) -> Outcomes {
    let mut head = AFTER;
    let mut judge = |opened: &Opened| {
        let place = Place::Stream(head.next());
        let job = Job::Ingest {
            opened,
            place,
            authority: JUDGE,
        };
        let mut set = WorkingSet::default();
        loop {
            match set.attempt(&job) {
                Attempt::Load(needs) => store.load(&needs, &mut set),
                Attempt::Write(effects) => store.write(effects),
                Attempt::Missing(_) => return Err(None),
                Attempt::Done(Err(rejection)) => return Err(Some(rejection)),
                Attempt::Done(Ok(())) => break,
            }
        }
        store.write(set.take_effects());
        store
            .changes
            .extend(opened.body.changes.iter().map(|c| (c.document, c.hash)));
        head = head.next();
        Ok(head)
    };
    batch.iter().map(&mut judge).collect()
}

/// `None` if it cannot be decided together.
fn together(store: &mut MemoryStore, batch: &[Opened], threads: usize) -> Option<Outcomes> {
    let entrants = batch.iter().map(|opened| Entrant {
        opened,
        authority: JUDGE,
    });
    let (mut work, mut set) = (Batch::new(entrants.collect(), AFTER, threads), WorkingSet::default());
    let outcomes = loop {
        match work.attempt(&mut set) {
            Progress::Load(needs) => store.load(&needs, &mut set),
            Progress::Done(outcomes) => break outcomes,
            Progress::InTurn => {
                assert!(!set.has_effects(), "the set is as it was");
                return None;
            }
        }
    };
    store.write(set.take_effects());
    for (opened, _) in batch.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
        store
            .changes
            .extend(opened.body.changes.iter().map(|c| (c.document, c.hash)));
    }
    Some(outcomes.into_iter().map(|o| o.map_err(Some)).collect())
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

#[test]
fn any_batch_does_on_any_number_of_threads_what_it_does_one_by_one() {
    let cases = 120;
    let acts = proptest::collection::vec((0..DEVICES, act()), 1..40);
    let turns = proptest::collection::vec(0..DEVICES, 0..40);
    let (done, refusing) = (Cell::new(0), Cell::new(0));
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
        let batch = world.batch(&turns);
        let mut expected = world.server.store.clone();
        let outcomes = one_by_one(&mut expected, &batch);
        for threads in [2, 3, 4] {
            let mut store = world.server.store.clone();
            if let Some(found) = together(&mut store, &batch, threads) {
                assert_eq!(found, outcomes);
                assert_same(&store, &expected);
                done.set(done.get() + 1);
                refusing.set(refusing.get() + u32::from(outcomes.iter().any(Result::is_err)));
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|failed| panic!("{failed}"));
    // Not all are decided together: one that has a single group is not, nor one that lacks something.
    println!(
        "{} of {} decided together, {} of them with refusals",
        done.get(),
        cases * 3,
        refusing.get()
    );
    assert!(done.get() > cases / 2, "only {} were decided together", done.get());
    assert!(refusing.get() > cases / 20, "only {} had a refusal", refusing.get());
}

/// The outcomes of a batch that must be decidable on two threads, compared with those one by one.
fn check(world: &World, batch: &[Opened]) -> Outcomes {
    let mut expected = world.server.store.clone();
    let outcomes = one_by_one(&mut expected, batch);
    let mut store = world.server.store.clone();
    assert_eq!(together(&mut store, batch, 2).as_ref(), Some(&outcomes));
    assert_same(&store, &expected);
    outcomes
}

#[test]
fn strangers_are_decided_together() {
    let mut world = World::new();
    for n in 0..8 {
        world.act(
            0,
            &Act::Note {
                patient: n,
                text: "nuts".into(),
            },
        );
        world.act(1, &Act::Treat { patient: n });
    }
    let outcomes = check(&world, &world.batch(&[0, 1, 0, 1, 1, 0]));
    let expected: Outcomes = (1..=16).map(|n| Ok(Seq(AFTER.0 + n))).collect();
    assert_eq!(outcomes, expected);
}

#[test]
fn places_close_up_after_a_refusal() {
    let mut world = World::new();
    world.act(
        0,
        &Act::Note {
            patient: 0,
            text: "nuts".into(),
        },
    );
    world.act(0, &Act::RegisterRefused { number: 50 });
    world.act(0, &Act::Admit { bed: 1, patient: 1 });
    world.act(0, &Act::Admit { bed: 2, patient: 2 });
    let outcomes = check(&world, &world.batch(&[]));
    let places: Vec<_> = outcomes
        .iter()
        .map(|o| o.as_ref().ok().map(|seq| seq.0 - AFTER.0))
        .collect();
    assert_eq!(places, [Some(1), None, Some(2), Some(3)]);
}

#[test]
fn a_bed_for_which_two_devices_have_a_patient_goes_to_the_first_of_the_batch() {
    let mut world = World::new();
    world.act(0, &Act::Admit { bed: 3, patient: 3 });
    world.act(1, &Act::Admit { bed: 3, patient: 4 });
    world.act(
        2,
        &Act::Note {
            patient: 5,
            text: "nuts".into(),
        },
    );
    check(&world, &world.batch(&[1, 2, 0]));
}

#[test]
fn a_row_that_one_deletes_and_another_uses_is_decided_by_one_thread() {
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

#[test]
fn a_batch_that_belongs_together_is_left_to_one_thread() {
    let mut world = World::new();
    world.act(
        0,
        &Act::Note {
            patient: 0,
            text: "nuts".into(),
        },
    );
    world.act(
        1,
        &Act::Note {
            patient: 0,
            text: "eggs".into(),
        },
    );
    let mut store = world.server.store.clone();
    assert_eq!(together(&mut store, &world.batch(&[]), 2), None);
}
