//! `growth`: the server's memory and the time to push a row while the store grows.

use super::{
    Plan,
    load::load,
    memory,
    push::push_all,
    report::{Goal, Report, Sample},
    rows::Rows,
    sender::{Connection, Push, Signer, on_two_threads, pushes},
};
use crate::{
    hospital::Hospital,
    server::{Kind, Server},
};

/// How many rows the store has, unless fewer are asked for.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

/// How many are pushed at each size.
const PUSHED: usize = 10_000;

const DEVICES: usize = 4;

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let most = plan.rows.unwrap_or(SIZES[SIZES.len() - 1]);
    let mut report = Report::new(format!(
        "{DEVICES} devices push {PUSHED} new rows at each size; server on PostgreSQL, started anew at each size. The rows before \
         were loaded through the server's own ingest, without HTTP"
    ));
    for run in 1..=plan.runs {
        eprintln!("growth, run {run} of {}", plan.runs);
        run_once(most, &mut report);
    }
    report
}

fn run_once(most: usize, report: &mut Report) {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let mut rows = Rows::new(0, 1);
    let mut there = 0;
    let mut first = None;
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        load(&hospital.server, rows.by_ref().take(size - there));
        let signers: Vec<Signer> = (0..DEVICES).map(|_| Signer::on_new_device()).collect();
        let parts: Vec<Vec<_>> = (0..DEVICES)
            .map(|_| rows.by_ref().take(PUSHED / DEVICES).collect())
            .collect();
        let requests: Vec<Vec<Push>> = on_two_threads(signers.iter().zip(parts).collect(), |(signer, part)| {
            pushes(part.into_iter().map(|(_, row)| signer.create(&[row]).0).collect())
        });
        there = size + PUSHED;
        hospital.server.stop();
        hospital.server.start();
        let open = |signer: &Signer| Connection::open(&hospital.server.address(), signer.device_key());
        let connections: Vec<Connection> = signers.iter().map(open).collect();
        let each = push_all(&connections, requests).as_secs_f64() * 1e6 / PUSHED as f64;
        let memory = memory::peak(hospital.server.process_id().expect("the server runs")) / 1e6;
        let (first_each, first_memory) = *first.get_or_insert((each, memory));
        for (what, unit, value, before) in [
            ("pushing a row", "µs", each, first_each),
            ("server's peak memory", "MB", memory, first_memory),
        ] {
            let sample = Sample::new(format!("{size} rows: {what}"), unit, value);
            report.add(if size == SIZES[0] {
                sample
            } else {
                let beside = format!("the same at {} rows", SIZES[0]);
                sample.beside(beside, before).goal(Goal::Times(1.5))
            });
        }
    }
}
