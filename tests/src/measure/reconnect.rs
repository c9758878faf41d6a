//! `reconnect`: a device comes back and lacks 10 changes, while the hospital has ever more documents.

use std::time::Instant;

use holdfast_server::store::Store;

use super::{
    Plan,
    counter::Counter,
    load::{close, load},
    memory,
    report::{Goal, Report, Sample},
    rows::{Made, Rows},
    sender::{Connection, Signer, pushes},
};
use crate::{
    device::Device,
    hospital::Hospital,
    postgres::block_on,
    server::{Kind, Server},
};

/// How many documents the hospital has, unless fewer are asked for.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// How many changes are missing.
const MISSING: usize = 10;

/// How often a device comes back at each size; the median is one run's figure.
const TIMES: usize = 15;

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let most = plan.rows.unwrap_or(SIZES[SIZES.len() - 1]);
    let mut report = Report::new(format!(
        "A native device that has the whole hospital comes back and lacks {MISSING} one-column edits of others; server on \
         PostgreSQL, started anew at each size; median of {TIMES} times. The rows before were loaded through the server's own \
         ingest, without HTTP"
    ));
    for run in 1..=plan.runs {
        eprintln!("reconnect, run {run} of {}", plan.runs);
        run_once(most, &mut report);
    }
    report
}

/// What a reconnection takes.
#[derive(Clone, Copy)]
struct Took {
    milliseconds: f64,
    bytes: f64,
    memory: f64,
}

fn run_once(most: usize, report: &mut Report) {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let mut device = hospital.device("ada");
    let other = Signer::on_new_device();
    let mut rows = Rows::new(0, 1);
    let mut made: Vec<Made> = Vec::new();
    let mut first: Option<(usize, Took)> = None;
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        made.extend(load(&hospital.server, rows.by_ref().take(size - made.len())));
        eprintln!("  the device follows");
        device.server = hospital.server.address();
        device.sync();
        hospital.server.stop();
        hospital.server.start();
        let took = at(&hospital, &mut device, &other, &made);
        tell(report, size, took, first);
        first.get_or_insert((size, took));
    }
}

fn at(hospital: &Hospital, device: &mut Device, other: &Signer, made: &[Made]) -> Took {
    let server = &hospital.server;
    let connection = Connection::open(&server.address(), other.device_key());
    let counter = Counter::before(&server.address());
    device.server = counter.address();
    // Its connection is open already, as in all later times.
    device.sync();
    let mut taken: Vec<(f64, u64)> = Vec::new();
    for time in 0..TIMES {
        let touched = |n: usize| made[(time * MISSING + n) * (made.len() / (TIMES * MISSING))];
        let edits: Vec<_> = (0..MISSING).map(|n| touched(n).edit(time + made.len())).collect();
        let transactions = block_on(async {
            let store = Store::open(&server.location()).await.expect("the store opens");
            let transactions = other.edit(&store, &edits).await;
            close(store).await;
            transactions
        });
        connection.push_all(&pushes(transactions));
        let (before, begun) = (counter.bytes(), Instant::now());
        device.sync();
        taken.push((begun.elapsed().as_secs_f64() * 1e3, counter.bytes() - before));
    }
    taken.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (milliseconds, bytes) = taken[taken.len() / 2];
    Took {
        milliseconds,
        bytes: bytes as f64,
        memory: memory::peak(server.process_id().expect("the server runs")),
    }
}

/// One of its numbers.
type Of = fn(Took) -> f64;

fn tell(report: &mut Report, size: usize, took: Took, first: Option<(usize, Took)>) {
    let figures: [(&str, &str, f64, Of); 3] = [
        ("time", "ms", 1.5, |took| took.milliseconds),
        ("bytes both ways", "B", 1.1, |took| took.bytes),
        ("server's peak memory", "MB", 1.25, |took| took.memory / 1e6),
    ];
    for (what, unit, limit, of) in figures {
        let sample = Sample::new(format!("{size} documents: {what}"), unit, of(took));
        report.add(match first {
            None => sample,
            Some((size, first)) => sample
                .beside(format!("the same at {size} documents"), of(first))
                .goal(Goal::Times(limit)),
        });
    }
}
