//! Whatever people do on disconnected devices: once all have synced, every replica shows the same rows and conflicts as the
//! server, and every constraint of the tables holds all along.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use holdfast_core::{
    document::{Document, DocumentId},
    ids::Timestamp,
    ingest::{Job, RowKey, WorkingSet},
    schema::Schema,
};
use proptest::prelude::*;
use support::*;

const DEVICES: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Register {
        device: usize,
        number: u8,
    },
    Renumber {
        device: usize,
        patient: usize,
        number: u8,
    },
    Admit {
        device: usize,
        bed: usize,
        patient: usize,
    },
    Empty {
        device: usize,
        bed: usize,
    },
    Note {
        device: usize,
        patient: usize,
        text: String,
    },
    Treat {
        device: usize,
        patient: usize,
    },
    Delete {
        device: usize,
        table: bool,
        row: usize,
    },
    Sync {
        device: usize,
    },
    Pull {
        device: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..DEVICES;
    prop_oneof![
        2 => (device.clone(), 0..5u8).prop_map(|(device, number)| Step::Register { device, number }),
        1 => (device.clone(), 0..9usize, 0..5u8).prop_map(|(device, patient, number)| Step::Renumber { device, patient, number }),
        4 => (device.clone(), 0..3usize, 0..9usize).prop_map(|(device, bed, patient)| Step::Admit { device, bed, patient }),
        2 => (device.clone(), 0..3usize).prop_map(|(device, bed)| Step::Empty { device, bed }),
        2 => (device.clone(), 0..9usize, "[a-c ]{0,5}").prop_map(|(device, patient, text)| Step::Note { device, patient, text }),
        1 => (device.clone(), 0..9usize).prop_map(|(device, patient)| Step::Treat { device, patient }),
        2 => (device.clone(), any::<bool>(), 0..9usize).prop_map(|(device, table, row)| Step::Delete { device, table, row }),
        4 => device.clone().prop_map(|device| Step::Sync { device }),
        1 => device.prop_map(|device| Step::Pull { device }),
    ]
}

struct World {
    server: Server,
    devices: Vec<Device>,
    made: u128,
}

impl World {
    fn new() -> Self {
        let mut server = Server::default();
        let mut devices: Vec<Device> = (1..=DEVICES as u8).map(Device::new).collect();
        let doctor = create(
            "users",
            id(900),
            &[
                ("username", "d"),
                ("email", "d@example.org"),
                ("role", "doctor"),
                ("first_name", "D"),
                ("last_name", "E"),
            ],
        );
        let mut rows = vec![room(1), doctor];
        rows.extend((10..13).map(|n| bed(n, 1)));
        rows.extend((0..3).map(|n| patient(100 + n, &format!("P-{n}"))));
        devices[0].run(&rows).expect("fits");
        devices[0].sync(&mut server);
        for device in &mut devices {
            device.pull(&server);
        }
        Self {
            server,
            devices,
            made: 200,
        }
    }

    /// The patients that a device sees, and the `n`th of them.
    fn patient(&self, device: usize, n: usize) -> Option<holdfast_core::ids::RowId> {
        let rows = self.devices[device].store.table("patients");
        (!rows.is_empty()).then(|| rows[n % rows.len()].id)
    }

    fn step(&mut self, step: &Step) {
        self.made += 1;
        let row = id(self.made);
        let (device, write) = match step {
            Step::Register { device, number } => (device, patient(self.made, &format!("P-{number}"))),
            Step::Renumber {
                device,
                patient,
                number,
            } => {
                let Some(patient) = self.patient(*device, *patient) else {
                    return;
                };
                (
                    device,
                    edit("patients", patient, &[("patient_number", &format!("P-{number}"))]),
                )
            }
            Step::Admit { device, bed, patient } => {
                let Some(patient) = self.patient(*device, *patient) else {
                    return;
                };
                (
                    device,
                    admit(10 + *bed as u128, patient.0.as_u128(), "2026-01-01T10:00:00Z"),
                )
            }
            Step::Empty { device, bed } => (
                device,
                edit(
                    "beds",
                    id(10 + *bed as u128),
                    &[("patient_id", ""), ("status", "cleaning")],
                ),
            ),
            Step::Note { device, patient, text } => {
                let Some(patient) = self.patient(*device, *patient) else {
                    return;
                };
                (device, edit("patients", patient, &[("allergies", text)]))
            }
            Step::Treat { device, patient } => {
                let Some(patient) = self.patient(*device, *patient) else {
                    return;
                };
                let (patient, doctor) = (patient.to_string(), id(900).to_string());
                let values = [
                    ("patient_id", patient.as_str()),
                    ("doctor_id", &doctor),
                    ("treatment_type", "therapy"),
                    ("treatment_name", "rest"),
                    ("start_date", "2026-01-01T10:00:00Z"),
                ];
                (device, create("treatment_records", row, &values))
            }
            Step::Delete { device, table, row } => {
                let table = if *table { "patients" } else { "treatment_records" };
                let rows = self.devices[*device].store.table(table);
                if rows.is_empty() {
                    return;
                }
                let row = rows[row % rows.len()].id;
                (device, delete(table, row))
            }
            Step::Sync { device } => {
                let refused = self.devices[*device].sync(&mut self.server);
                assert_eq!(refused, vec![], "the server takes what the device took");
                return;
            }
            Step::Pull { device } => return self.devices[*device].pull(&self.server),
        };
        // A bed that a device doesn't see any more cannot be written to; everything else must be taken.
        let taken = self.devices[*device].run_if_new(&[write]);
        if let Err(refused) = taken {
            panic!("refused on the device: {refused}");
        }
        self.devices[*device].store.check_constraints();
    }

    fn all_equal(&mut self) {
        for _ in 0..2 {
            for device in &mut self.devices {
                assert_eq!(device.sync(&mut self.server), vec![]);
            }
        }
        self.server.store.check_constraints();
        for device in &self.devices {
            let live = |store: &MemoryStore| {
                store
                    .claims
                    .iter()
                    .filter(|(_, c)| !c.is_empty())
                    .map(|(k, c)| (k.clone(), c.clone()))
                    .collect()
            };
            assert_same(&device.store.rows, &self.server.store.rows);
            assert_same(&live(&device.store), &live(&self.server.store));
            let sides = |store: &MemoryStore| {
                store
                    .conflicts
                    .iter()
                    .map(|(id, c)| (*id, (c.kind, c.sides.clone())))
                    .collect()
            };
            assert_same(&sides(&device.store), &sides(&self.server.store));
        }
    }
}

/// Fails with what differs alone.
fn assert_same<K: Ord + Debug, V: PartialEq + Debug>(device: &BTreeMap<K, V>, server: &BTreeMap<K, V>) {
    for key in device.keys().chain(server.keys()) {
        assert_eq!(device.get(key), server.get(key), "{key:?}");
    }
}

/// A copy of these documents, some at a time. `closely`: no row is taken for one that nothing follows from.
fn copy(documents: &BTreeMap<DocumentId, Document>, at_once: usize, closely: bool) -> MemoryStore {
    let (mut copy, all) = (MemoryStore::default(), to_share(documents));
    let mut all = all.into_iter().peekable();
    while all.peek().is_some() {
        let (documents, now) = (&all.by_ref().take(at_once).collect(), Timestamp(0));
        let (job, mut set) = (Job::Replace { documents, now }, WorkingSet::default());
        if closely {
            let nobody = RowKey {
                table: Schema::hospital().expect("rooms").id,
                row: id(0),
            };
            set.provide_referrers(nobody, BTreeSet::new());
        }
        copy.carry_out_in(set, &job).expect("nobody judges");
    }
    copy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn all_replicas_show_what_the_server_shows(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.all_equal();
    }
    #[test]
    fn rows_that_nothing_follows_from_are_copied_as_those_that_are_looked_at_closely(
        steps in proptest::collection::vec(step(), 1..60),
        at_once in 1..20usize,
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        let stores = world.devices.iter().map(|device| &device.store).chain([&world.server.store]);
        for store in stores {
            let (quick, close) = (copy(&store.documents, at_once, false), copy(&store.documents, at_once, true));
            assert_same(&quick.rows, &close.rows);
            assert_same(&quick.shown, &close.shown);
            assert_same(&quick.documents, &close.documents);
            assert_same(&quick.claims, &close.claims);
            assert_same(&quick.conflicts, &close.conflicts);
        }
    }
}
