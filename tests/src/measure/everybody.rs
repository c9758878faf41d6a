//! `everybody`: a thousand devices come back at once after a day offline.
//!
//! ```text
//!  devices ── 20 transactions each ──► server ──► every device pulls what all the others did
//! ```
//!
//! A few of them are whole devices, whose tables are compared with the server's in the end. The others push what was made
//! beforehand and read the stream to its end, but keep nothing: a thousand machines' work does not fit on one.

use std::time::{Duration, Instant};

use holdfast_core::{
    ids::Seq,
    protocol::{self, PullResponse},
};
use holdfast_server::store::Store;

use super::{
    Plan,
    bulk::{self, Yardstick},
    load::{close, load},
    memory,
    report::{Goal, Report, Sample},
    rows::{Made, Rows},
    sender::{Connection, Push, Signer, all_at_once, on_two_threads, pushes},
};
use crate::{
    contents::{Contents, assert_same, replicated},
    device::Device,
    hospital::Hospital,
    postgres::block_on,
    server::{Kind, Server},
};

/// How many devices unless told otherwise.
const DEVICES: usize = 1_000;

/// How many of them are whole.
const WHOLE: usize = 5;

/// What each has done: so many new rows, so many edits of one column.
const NEW: usize = 10;
const EDITS: usize = 10;

/// How many rows the hospital had before.
const BEFORE: usize = 4_000;

/// How long a device that is at the stream's end waits until it looks again; a live channel would tell it.
const LOOK: Duration = Duration::from_millis(500);

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let devices = plan.devices.unwrap_or(DEVICES).max(WHOLE + 1);
    let mut report = Report::new(format!(
        "{devices} devices at once, each with {NEW} new rows and {EDITS} edits of one column from a day offline, each a signed \
         transaction of its own; server on PostgreSQL. {WHOLE} are whole devices whose tables are compared with the server's in \
         the end; the others push and read the stream to its end. All of them share the machine with the server"
    ));
    for run in 1..=plan.runs {
        eprintln!("everybody, run {run} of {}", plan.runs);
        run_once(devices, &mut report);
    }
    report
}

/// A device that keeps nothing.
struct Light {
    connection: Connection,
    requests: Vec<Push>,
}

fn run_once(devices: usize, report: &mut Report) {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let there = load(&hospital.server, Rows::new(0, 1).take(BEFORE));
    let mut whole: Vec<Device> = (0..WHOLE).map(|_| hospital.device("ada")).collect();
    let server = &hospital.server;
    let mut yardstick = Yardstick::beside(server);
    let (light, touched) = prepare(server, devices - WHOLE, &there);
    for (number, device) in whole.iter_mut().enumerate() {
        work(device, number, &there);
    }
    let start = head(&light[0].connection);
    let count = devices * (NEW + EDITS);
    let end = Seq(start.0 + count as u64);
    eprintln!("  {devices} devices begin");

    let begun = Instant::now();
    let (mut pushed, mut equal): (Vec<Duration>, Vec<Duration>) = std::thread::scope(|scope| {
        let whole = scope.spawn(|| all_at_once(whole.iter_mut().collect(), |device| come_back(device, end, begun)));
        let light = all_at_once(light.iter().collect(), |light| {
            light.connection.push_all(&light.requests);
            let pushed = begun.elapsed();
            read_to(&light.connection, start, end);
            (pushed, begun.elapsed())
        });
        let whole = whole.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        light.into_iter().chain(whole).unzip()
    });
    let memory = memory::peak(server.process_id().expect("the server runs"));
    let tables = server.contents(replicated);
    for device in &whole {
        assert_same(
            "a device",
            &Contents::of_sqlite(device.file(), replicated),
            "the server",
            &tables,
        );
    }

    let alone = Instant::now();
    read_to(&light[0].connection, start, end);
    let alone = alone.elapsed().as_secs_f64();
    let bulk = yardstick.catch_up(server, &touched).as_secs_f64();
    pushed.sort_unstable();
    equal.sort_unstable();
    let last = |times: &[Duration]| times.last().copied().unwrap_or_default().as_secs_f64();
    let middle = |times: &[Duration]| times[times.len() / 2].as_secs_f64();
    let rate = Sample::new("transactions taken in", "tx/s", count as f64 / last(&pushed));
    report.add(rate.beside(bulk::NAME, count as f64 / bulk));
    let all = Sample::new("until all devices are equal", "s", last(&equal));
    report.add(all.beside(
        format!("one device's pull alone, times {devices}"),
        alone * devices as f64,
    ));
    let slowest = Sample::new(
        "the slowest device, until its work is at the hospital",
        "s",
        last(&pushed),
    );
    report.add(
        slowest
            .beside("the device in the middle", middle(&pushed))
            .goal(Goal::Times(3.0)),
    );
    let slowest = Sample::new("the slowest device, until it has everything", "s", last(&equal));
    report.add(
        slowest
            .beside("the device in the middle", middle(&equal))
            .goal(Goal::Times(1.5)),
    );
    let idle = memory::held(std::process::id());
    let peak = Sample::new("server's peak memory", "MB", memory / 1e6);
    report.add(peak.beside("the devices' own process", idle / 1e6));
}

/// Makes the light devices' requests. Returns also the rows that they touch.
fn prepare(server: &Server, devices: usize, there: &[Made]) -> (Vec<Light>, Vec<Made>) {
    eprintln!("  {devices} devices are made");
    let made = on_two_threads((0..devices).collect(), |number| {
        let signer = Signer::on_new_device();
        let connection = Connection::open(&server.address(), signer.device_key());
        // Other numbers than those of the rows that are there.
        let rows = Rows::new(BEFORE + number, BEFORE + devices).take(NEW);
        let (made, writes): (Vec<Made>, Vec<_>) = rows.unzip();
        let new: Vec<_> = writes
            .iter()
            .map(|write| signer.create(std::slice::from_ref(write)).0)
            .collect();
        (signer, connection, made, new)
    });
    let edits = |number: usize| edited(number, there);
    let mut touched: Vec<Made> = (0..devices).flat_map(edits).collect();
    touched.sort_by_key(|made| made.row);
    touched.dedup();
    let light = block_on(async {
        let store = Store::open(&server.location()).await.expect("the store opens");
        let mut light = Vec::with_capacity(devices);
        for (number, (signer, connection, made, mut transactions)) in made.into_iter().enumerate() {
            touched.extend(made);
            let edits: Vec<_> = edits(number).map(|made| made.edit(number)).collect();
            transactions.extend(signer.edit(&store, &edits).await);
            let requests = pushes(transactions);
            light.push(Light { connection, requests });
        }
        close(store).await;
        light
    });
    (light, touched)
}

/// The rows that a device edits: every row is edited by several.
fn edited(number: usize, there: &[Made]) -> impl Iterator<Item = Made> {
    (0..EDITS).map(move |edit| there[(number * EDITS + edit) * 7 % there.len()])
}

/// A whole device's day: as the light ones' days, by commands.
fn work(device: &mut Device, number: usize, there: &[Made]) {
    for row in 0..NEW {
        let values = serde_json::json!({ "patient_number": format!("W-{number}-{row}"), "first_name": "Wilma",
            "last_name": "Berg", "date_of_birth": "1950-02-03" });
        device.run(
            "createRow",
            serde_json::json!({ "table": "patients", "values": values }),
        );
    }
    for made in edited(number, there) {
        let values = super::rows::edited(made.table, 500_000 + number);
        let id = made.row.0.to_string();
        device.run(
            "editRow",
            serde_json::json!({ "table": made.table, "id": id, "values": values }),
        );
    }
}

/// Pushes and pulls until the stream's end is here.
fn come_back(device: &mut Device, end: Seq, begun: Instant) -> (Duration, Duration) {
    let mut pushed = None;
    loop {
        // A server that has no room says so; the device comes again.
        if device.try_sync().is_err() {
            std::thread::sleep(LOOK);
            continue;
        }
        pushed.get_or_insert_with(|| begun.elapsed());
        if cursor(device) >= end {
            return (pushed.unwrap_or_default(), begun.elapsed());
        }
        std::thread::sleep(LOOK);
    }
}

/// How far a device is in the stream.
fn cursor(device: &Device) -> Seq {
    let store = rusqlite::Connection::open(device.file()).expect("the device's file opens");
    let sql = "SELECT value FROM sync_meta WHERE key = 'cursor'";
    let cursor: i64 = store
        .query_row(sql, [], |row| row.get(0))
        .expect("a device that has copied has a cursor");
    Seq(cursor as u64)
}

fn head(connection: &Connection) -> Seq {
    page(connection, Seq(0), 1).head
}

/// Reads the stream from one place to another.
fn read_to(connection: &Connection, from: Seq, end: Seq) {
    let mut cursor = from;
    while cursor < end {
        let page = page(connection, cursor, 2_000);
        if page.cursor == cursor {
            std::thread::sleep(LOOK);
        }
        cursor = page.cursor;
    }
}

fn page(connection: &Connection, after: Seq, limit: usize) -> PullResponse {
    let body = connection.get(&format!("/v1/pull?after={after}&limit={limit}"));
    protocol::decode(&body).expect("a page of the stream")
}
