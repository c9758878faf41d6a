//! What it costs to prepare a batch of transactions (signatures, decoding) and to decide about them.
//! `cargo bench -p holdfast-core --bench ingest`

#[path = "../tests/support/mod.rs"]
mod support;

use divan::{Bencher, counter::ItemsCount};
use getrandom::SysRng;
use holdfast_core::{
    document::Place,
    ids::Seq,
    ingest::{Attempt, Authority, Job, Needs, WorkingSet},
    policy::Role,
    row::RowWrite,
    transaction::{DeviceKey, Opened, Signatures, Transaction, prepare},
};
use rand_core::UnwrapErr;
use support::{Device, MemoryStore, Server, admit, bed, create, doctor, edit, id, room, treatment};

/// How many transactions a batch has.
const BATCH: u128 = 1_000;

/// The end of the stream before the batch.
const AFTER: Seq = Seq(1_000_000);

const JUDGE: Authority = Authority::Judge {
    role: Role::Nurse,
    import: false,
};

fn main() {
    divan::main();
}

/// A hospital's store, and transactions that a server is about to judge.
struct Batch {
    store: MemoryStore,
    transactions: Vec<Transaction>,
    key: DeviceKey,
}

impl Batch {
    fn new(before: &[RowWrite], writes: impl IntoIterator<Item = RowWrite>) -> Self {
        let mut device = Device::new(1);
        for write in before {
            device.run(std::slice::from_ref(write)).expect("fits");
        }
        let mut server = Server::default();
        assert_eq!(device.sync(&mut server), vec![]);
        let made = writes.into_iter().map(|write| device.run(&[write]).expect("fits"));
        Self {
            transactions: made.collect(),
            store: server.store,
            key: DeviceKey::new(&device.public_key()),
        }
    }

    /// As a server does it.
    fn open(&self, some: &[Transaction]) -> Vec<Opened> {
        let mut signatures = Signatures::default();
        let read = |transaction: &Transaction| {
            let body = transaction.body().expect("can be read");
            signatures.add(transaction, &body, &self.key).expect("its own key");
            body
        };
        let bodies: Vec<_> = some.iter().map(read).collect();
        assert_eq!(signatures.verify(&mut UnwrapErr(SysRng)), vec![true; some.len()]);
        let open = |(transaction, body): (&Transaction, _)| transaction.open_with(body).expect("opens").examined();
        some.iter().zip(bodies).map(open).collect()
    }

    /// With all loaded that one can tell from the transactions.
    fn loaded(&self, opened: &[Opened]) -> WorkingSet {
        let mut set = WorkingSet::default();
        for opened in opened {
            self.store.load(&Needs::of(opened), &mut set);
        }
        set
    }

    fn decide(&self, opened: &[Opened], set: &mut WorkingSet) {
        for (opened, seq) in opened.iter().zip(AFTER.0 + 1..) {
            let place = Place::Stream(Seq(seq));
            let job = Job::Ingest {
                opened,
                place,
                authority: JUDGE,
            };
            loop {
                match set.attempt(&job) {
                    Attempt::Load(needs) => self.store.load(&needs, set),
                    Attempt::Done(result) => break result.expect("fits"),
                    other => panic!("all is there and nothing is deleted: {other:?}"),
                }
            }
        }
    }

    fn bench_preparing(&self, bencher: Bencher<'_, '_>, threads: usize) {
        bencher
            .counter(ItemsCount::new(self.transactions.len()))
            .bench(|| prepare(&self.transactions, threads, |some| self.open(some)));
    }

    fn bench_deciding(&self, bencher: Bencher<'_, '_>) {
        let opened: Vec<Opened> = self.open(&self.transactions);
        bencher
            .counter(ItemsCount::new(opened.len()))
            .with_inputs(|| self.loaded(&opened))
            .bench_values(|mut set| {
                self.decide(&opened, &mut set);
                set
            });
    }
}

/// A patient with the columns that a reception fills in.
fn full_patient(number: u128) -> RowWrite {
    let patient_number = format!("P-{number}");
    let values = [
        ("patient_number", patient_number.as_str()),
        ("first_name", "Annegret"),
        ("last_name", "Klein"),
        ("date_of_birth", "1961-07-14"),
        ("gender", "female"),
        ("phone", "+49 30 1234567"),
        ("email", "a.klein@example.org"),
        ("address", "Lange Straße 12, 10243 Berlin"),
        ("emergency_contact_name", "Bert Klein"),
        ("emergency_contact_phone", "+49 30 7654321"),
        ("blood_type", "A+"),
        ("allergies", "penicillin"),
        ("medical_history", "Appendectomy 1999; hypertension since 2015."),
        ("created_at", "2026-01-01T10:00:00Z"),
    ];
    create("patients", id(number), &values)
}

/// 1,000 new patients.
fn inserts() -> Batch {
    Batch::new(&[], (0..BATCH).map(|i| full_patient(1_000 + i)))
}

/// 1,000 patients, each with another phone number.
fn edits() -> Batch {
    let before: Vec<_> = (0..BATCH).map(|i| full_patient(1_000 + i)).collect();
    Batch::new(
        &before,
        (0..BATCH).map(|i| edit("patients", id(1_000 + i), &[("phone", "+49 30 999")])),
    )
}

/// A ward's morning: of ten transactions four edit a patient, two record a treatment, one registers, one admits to a free bed,
/// one empties a bed, and one renumbers a patient.
fn ward() -> Batch {
    let tens = BATCH / 10;
    let mut before = vec![room(1), doctor(900)];
    before.extend((0..BATCH).map(|i| full_patient(1_000 + i)));
    before.extend((0..2 * tens).map(|i| bed(10_000 + i, 1)));
    before.extend((0..tens).map(|i| admit(10_000 + i, 1_000 + i, "2026-01-01T10:00:00Z")));
    Batch::new(
        &before,
        (0..tens).flat_map(|i| {
            let patient = |n: u128| id(1_000 + (i * 10 + n) % BATCH);
            let renumbered = format!("N-{i}");
            vec![
                edit("patients", patient(0), &[("phone", "+49 30 999")]),
                edit("patients", patient(1), &[("address", "Kurze Straße 1")]),
                treatment(20_000 + 2 * i, patient(2)),
                full_patient(5_000 + i),
                admit(10_000 + tens + i, 1_000 + tens + i, "2026-01-02T10:00:00Z"),
                edit("patients", patient(3), &[("blood_type", "0-")]),
                edit("beds", id(10_000 + i), &[("patient_id", ""), ("status", "cleaning")]),
                treatment(20_001 + 2 * i, patient(4)),
                edit("patients", patient(5), &[("patient_number", &renumbered)]),
                edit("patients", patient(0), &[("email", "k@example.org")]),
            ]
        }),
    )
}

#[divan::bench(args = [1, 2])]
fn prepare_new_patients(bencher: Bencher<'_, '_>, threads: usize) {
    inserts().bench_preparing(bencher, threads);
}

#[divan::bench(args = [1, 2])]
fn prepare_one_column_edits(bencher: Bencher<'_, '_>, threads: usize) {
    edits().bench_preparing(bencher, threads);
}

/// The signatures alone: one by one, or so many together.
#[divan::bench(args = [1, 8, 50, 250])]
fn verify_signatures(bencher: Bencher<'_, '_>, together: usize) {
    let batch = edits();
    let bodies: Vec<_> = batch
        .transactions
        .iter()
        .map(|t| t.body().expect("can be read"))
        .collect();
    let all: Vec<_> = batch.transactions.iter().zip(&bodies).collect();
    bencher.counter(ItemsCount::new(all.len())).bench(|| {
        for some in all.chunks(together) {
            if let [(transaction, body)] = some {
                transaction.verify(body, &batch.key).expect("is signed");
                continue;
            }
            let mut signatures = Signatures::default();
            for (transaction, body) in some {
                signatures.add(transaction, body, &batch.key).expect("its own key");
            }
            assert_eq!(signatures.verify(&mut UnwrapErr(SysRng)), vec![true; some.len()]);
        }
    });
}

#[divan::bench]
fn decide_new_patients(bencher: Bencher<'_, '_>) {
    inserts().bench_deciding(bencher);
}

#[divan::bench]
fn decide_one_column_edits(bencher: Bencher<'_, '_>) {
    edits().bench_deciding(bencher);
}

#[divan::bench]
fn decide_a_ward_morning(bencher: Bencher<'_, '_>) {
    ward().bench_deciding(bencher);
}
