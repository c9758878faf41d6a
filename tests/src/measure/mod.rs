//! How long rows take from one device into the tables and out again, beside a plain bulk insert of the same rows.
//!
//! ```text
//!  device A ── push ──► server ──► tables        in
//!  device B ◄── snapshot ── server               out, a new device
//!  device C ◄── pull ────── server               out, a device that knows all but these rows
//! ```

mod bulk;
pub mod servers;
mod table;

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    device::Device,
    hospital::{Hospital, PASSWORD},
    server::{Kind, Server},
};

pub use table::Table;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many patients.
    pub rows: usize,
    /// How often; the median counts.
    pub runs: usize,
    /// On which databases.
    pub kinds: Vec<Kind>,
}

/// How long something took.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    /// In all.
    whole: Duration,
    /// From question to answer: packing, the network, the server and its database. The rest is the device's own work.
    waiting: Duration,
    /// The server's own processor time.
    server: Duration,
}

/// Measures, and returns the table to print.
pub fn push_pull(kind: Kind, plan: &Plan) -> Table {
    let mut table = Table::new(kind, u32::try_from(plan.rows).unwrap_or(u32::MAX));
    for run in 1..=plan.runs {
        eprintln!("{kind:?}, run {run} of {}", plan.runs);
        run_once(kind, plan.rows, &mut table);
    }
    table
}

fn run_once(kind: Kind, rows: usize, table: &mut Table) {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(kind, on_disk));
    let (mut maker, mut follower) = (hospital.device("nora"), hospital.device("nora"));
    let before = count(&mut follower);

    let begun = Instant::now();
    for number in 0..rows {
        maker.run("createRow", json!({ "table": "patients", "values": patient(number) }));
    }
    let made = begun.elapsed();

    let pushed = exchange(&mut maker, &hospital.server, |path| path.contains("/push"));
    maker.sync();
    table.add(
        "pushed into the tables",
        pushed.whole,
        Some(pushed.waiting),
        Some(pushed.server),
    );

    let mut newcomer = hospital.new_device();
    newcomer.sign_in("nora", PASSWORD).expect("the nurse can sign in");
    let snapshot = exchange(&mut newcomer, &hospital.server, |_| true);
    table.add(
        "copied by a new device",
        snapshot.whole,
        Some(snapshot.waiting),
        Some(snapshot.server),
    );

    let pulled = exchange(&mut follower, &hospital.server, |_| true);
    table.add(
        "pulled from the log",
        pulled.whole,
        Some(pulled.waiting),
        Some(pulled.server),
    );

    table.add("made on a device", made, None, None);
    for (name, device) in [("the new device", &mut newcomer), ("the follower", &mut follower)] {
        assert_eq!(count(device), before + rows, "{name} has not got every row");
    }
    let inserted = bulk::insert(kind, &hospital.server, before + rows);
    table.add(table::BULK, inserted, None, None);
}

/// Lets the device exchange as long as its requests are of a kind.
fn exchange(device: &mut Device, server: &Server, of_kind: fn(&str) -> bool) -> Took {
    let mut took = Took::default();
    let processor = server.processor_time().unwrap_or_default();
    device.replica.wake();
    let begun = Instant::now();
    while let Some(request) = device.next_request().filter(|request| of_kind(&request.path)) {
        took.waiting += device.exchange_timed(&request).expect("the exchange goes well");
    }
    took.whole = begun.elapsed();
    took.server = server.processor_time().unwrap_or_default().saturating_sub(processor);
    took
}

fn count(device: &mut Device) -> usize {
    let count = device.text("SELECT count(*) AS n FROM patients");
    count.parse().expect("a count is a number")
}

fn patient(number: usize) -> serde_json::Value {
    json!({
        "patient_number": format!("B-{number:07}"), "first_name": "Annegret", "last_name": format!("Klein-{number}"),
        "date_of_birth": "1961-07-14", "gender": "female", "phone": "+49 30 1234567",
        "email": format!("p{number}@example.org"), "address": "Lange Straße 12, 10243 Berlin",
        "emergency_contact_name": "Bert Klein", "emergency_contact_phone": "+49 30 7654321", "blood_type": "A+",
        "allergies": "penicillin", "medical_history": "Appendectomy 1999; hypertension since 2015."
    })
}
