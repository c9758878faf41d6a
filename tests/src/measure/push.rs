//! `push`: new rows and edits from several devices through the real server into its tables, beside a plain bulk upsert.
//!
//! ```text
//!  4 devices ── 1,000 transactions each time ─► server ──► tables, log, documents
//!                                              beside it: the same rows and log entries, one bulk transaction
//! ```

use std::time::{Duration, Instant};

use holdfast_server::store::Store;

use super::{
    Plan,
    bulk::{self, Yardstick},
    report::{Goal, Report, Sample},
    rows::{Made, Rows},
    sender::{Connection, PUSH, Push, Signer, all_at_once, on_two_threads, pushes},
};
use crate::{
    hospital::Hospital,
    postgres::block_on,
    server::{Kind, Server},
};

/// How many devices push at once: as many as one may expect to come back together in a ward.
const DEVICES: usize = 4;

/// How many rows are made unless told otherwise.
const ROWS: usize = 100_000;

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let rows = plan.rows.unwrap_or(ROWS);
    let mut report = Report::new(format!(
        "{rows} new rows (patients, treatments, queue, beds: a quarter each) and {rows} edits of one column, each a signed \
         transaction of its own; {DEVICES} devices push {PUSH} at a time; the requests are made beforehand"
    ));
    for run in 1..=plan.runs {
        for kind in &plan.kinds {
            eprintln!("push, {}, run {run} of {}", kind.name(), plan.runs);
            run_once(*kind, rows, &mut report);
        }
    }
    report
}

fn run_once(kind: Kind, rows: usize, report: &mut Report) {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let hospital = Hospital::open_on(Server::prepare_in(kind, on_disk));
    let server = &hospital.server;
    let signers: Vec<Signer> = (0..DEVICES).map(|_| Signer::on_new_device()).collect();
    let open = |signer: &Signer| Connection::open(&server.address(), signer.device_key());
    let connections: Vec<Connection> = signers.iter().map(open).collect();
    let mut yardstick = Yardstick::beside(server);

    let prepared = on_two_threads(signers.iter().enumerate().collect(), |(part, signer)| {
        let made = Rows::new(part, DEVICES).take(rows / DEVICES);
        let (made, transactions): (Vec<Made>, Vec<_>) = made.map(|(made, row)| (made, signer.create(&[row]).0)).unzip();
        (made, pushes(transactions))
    });
    let (made, requests): (Vec<Vec<Made>>, Vec<Vec<Push>>) = prepared.into_iter().unzip();
    let all: Vec<Made> = made.concat();
    let took = push_all(&connections, requests);
    let bulk = yardstick.catch_up(server, &all);
    tell(report, "new rows", kind, all.len(), took, bulk);

    let edits = block_on(async {
        let store = Store::open(&server.location()).await.expect("the store opens");
        let mut edits = Vec::new();
        for (signer, made) in signers.iter().zip(&made) {
            let writes: Vec<_> = made.iter().enumerate().map(|(round, made)| made.edit(round)).collect();
            edits.push(pushes(signer.edit(&store, &writes).await));
        }
        edits
    });
    let took = push_all(&connections, edits);
    let bulk = yardstick.catch_up(server, &all);
    tell(report, "one-column edits", kind, all.len(), took, bulk);
}

/// Pushes each device's requests in order, all devices at once.
pub(super) fn push_all(connections: &[Connection], requests: Vec<Vec<Push>>) -> Duration {
    let work: Vec<_> = connections.iter().zip(requests).collect();
    let begun = Instant::now();
    all_at_once(work, |(connection, requests)| {
        connection.push_all(&requests);
    });
    begun.elapsed()
}

fn tell(report: &mut Report, what: &str, kind: Kind, rows: usize, took: Duration, bulk: Duration) {
    let name = kind.name();
    let whole = Sample::seconds(format!("{what} into {name}"), took);
    report.add(whole.beside(bulk::NAME, bulk.as_secs_f64()).goal(Goal::Times(2.0)));
    let rate = |took: Duration| rows as f64 / took.as_secs_f64();
    let sample = Sample::new(format!("{what} into {name}, a second"), "rows/s", rate(took));
    let sample = sample.beside(bulk::NAME, rate(bulk));
    report.add(if what == "new rows" {
        sample.goal(Goal::AtLeast(15_000.0))
    } else {
        sample
    });
}
