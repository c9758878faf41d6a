//! What a ward's hub costs: what one device did is taken in by the hub, by another device of the ward, and comes back with the
//! hospital's stream. How long for one transaction shows whether the cost grows with how many are on their way.
//!
//! Run with `cargo bench -p holdfast-store --bench relay`.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails ends")]

use divan::{Bencher, counter::ItemsCount};
use holdfast_core::ids::RowId;
use holdfast_store::testing::{Device, TestServer};
use serde_json::json;
use uuid::Uuid;

/// How many transactions are on their way.
const RELAYED: [usize; 2] = [250, 2_000];

/// How many transactions are pushed together, and are in a page, as between a hub and the hospital's server.
const PAGE: usize = 200;

fn main() {
    divan::main();
}

/// A hospital, a hub in step with it, and two nurses who are at the hub.
struct Ward {
    centre: TestServer,
    hub: TestServer,
    nora: Device,
    nils: Device,
}

impl Ward {
    fn new() -> Self {
        let mut centre = TestServer::new().unwrap();
        for (n, username) in [(0x11, "nora"), (0x12, "nils")] {
            let user = json!({ "username": username, "email": format!("{username}@hospital.test"), "role": "nurse",
                "first_name": username, "last_name": "Berg" });
            centre.import("users", RowId(Uuid::from_u128(n)), &user).unwrap();
        }
        let nora = Device::new(&mut centre, 10, "nora").unwrap();
        let nils = Device::new(&mut centre, 20, "nils").unwrap();
        centre.pull_page = PAGE;
        let mut hub = TestServer::hub(&centre, 500).unwrap();
        hub.pull_page = PAGE;
        hub.exchange(&mut centre).unwrap();
        let mut ward = Self {
            centre,
            hub,
            nora,
            nils,
        };
        ward.nora.sync(&mut ward.hub).unwrap();
        ward.nils.sync(&mut ward.hub).unwrap();
        ward
    }

    /// Nora makes so many patients and gives them to the hub.
    fn relaying(patients: usize) -> Self {
        let mut ward = Self::new();
        for number in 0..patients {
            let values = json!({ "patient_number": format!("B-{number}"), "first_name": "Annegret",
                "last_name": format!("Klein-{number}"), "date_of_birth": "1961-07-14", "phone": "+49 30 1234567" });
            let command = json!({ "table": "patients", "values": values });
            ward.nora.run("createRow", command).unwrap();
        }
        ward.nora.sync(&mut ward.hub).unwrap();
        assert_eq!(ward.hub.store.relay_count().unwrap().transactions, patients as u64);
        ward
    }
}

/// Another device of the ward takes in what the hub relays.
#[divan::bench(args = RELAYED, sample_count = 3, sample_size = 1)]
fn a_device_takes_in_what_is_relayed(bencher: Bencher<'_, '_>, count: usize) {
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| Ward::relaying(count))
        .bench_local_values(|mut ward| {
            ward.nils.sync(&mut ward.hub).unwrap();
            ward
        });
}

/// The hub passes everything on and follows it in the stream; the hospital's server is in the time, too.
#[divan::bench(args = RELAYED, sample_count = 3, sample_size = 1)]
fn a_hub_passes_on_and_follows(bencher: Bencher<'_, '_>, count: usize) {
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| Ward::relaying(count))
        .bench_local_values(|mut ward| {
            while let Some(answer) = ward.hub.ask_push(&mut ward.centre).unwrap() {
                ward.hub.take_answer(&answer).unwrap();
                ward.hub.follow(&ward.centre).unwrap();
            }
            assert_eq!(ward.hub.store.relay_count().unwrap().transactions, 0);
            ward
        });
}

/// A device that shows what was relayed takes the same in from the stream.
#[divan::bench(args = RELAYED, sample_count = 3, sample_size = 1)]
fn a_device_follows_what_was_relayed(bencher: Bencher<'_, '_>, count: usize) {
    let passed_on = || {
        let mut ward = Ward::relaying(count);
        ward.nils.sync(&mut ward.hub).unwrap();
        ward.hub.exchange(&mut ward.centre).unwrap();
        ward
    };
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(passed_on)
        .bench_local_values(|mut ward| {
            ward.nils.sync(&mut ward.hub).unwrap();
            ward
        });
}
