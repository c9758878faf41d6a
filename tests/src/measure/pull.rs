//! `pull`: the first sync of a new device and the pull of one that was away, beside a plain bulk insert of the same rows into
//! the same SQLite. The browser's part is `tests/browser/bench/pull.mjs`.

use std::time::Instant;

use holdfast_core::schema::Side;

use super::{
    Plan, bulk,
    load::load,
    report::{Goal, Report, Sample},
    rows::Rows,
    script,
};
use crate::{
    device::Device,
    hospital::{Hospital, PASSWORD},
    server::{Kind, Server},
};

/// How many rows unless told otherwise.
const ROWS: usize = 50_000;

/// How many of them are beds: the app shows them all at once, and a large hospital has so many.
const BEDS: usize = 500;

/// What the rows are held against.
const BULK: &str = "plain bulk insert of the same rows";

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let rows = plan.rows.unwrap_or(ROWS);
    let mut report = Report::new(format!(
        "{rows} rows ({BEDS} beds; patients, treatments and queue: a third each of the rest) from a server on PostgreSQL into a \
         device's SQLite file; times are until all is on the disk, the server's part among them"
    ));
    for run in 1..=plan.runs {
        eprintln!("pull, run {run} of {}", plan.runs);
        run_once(rows, &mut report);
    }
    report
}

fn run_once(rows: usize, report: &mut Report) {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let mut follower = hospital.device("ada");
    let before = count(&mut follower);
    let mut beds = 0;
    let made = Rows::new(0, 1).filter(|(made, _)| {
        beds += usize::from(made.table == "beds");
        made.table != "beds" || beds <= BEDS
    });
    load(&hospital.server, made.take(rows));

    let app = script::app_server(&hospital.server);
    let found = script::run("pull.mjs", &[&app.address(), "ada", PASSWORD]);
    let copied = Sample::new(
        "first sync of a new device, in Chromium",
        "s",
        script::number(&found, "copied"),
    );
    let copied = copied.beside(format!("{BULK} there"), script::number(&found, "inserted"));
    report.add(copied.goal(Goal::Times(2.0)));
    drop(app);

    let mut newcomer = hospital.new_device();
    newcomer
        .sign_in("ada", PASSWORD)
        .expect("the administrator can sign in");
    let begun = Instant::now();
    newcomer.sync();
    let copied = begun.elapsed();
    let begun = Instant::now();
    follower.sync();
    let pulled = begun.elapsed();
    for device in [&mut newcomer, &mut follower] {
        assert_eq!(count(device), before + rows, "every row is on the device");
    }

    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = rusqlite::Connection::open(newcomer.file()).expect("the device's file opens");
    let mut target = bulk::sqlite_file(&folder.path().join("bulk.sqlite"), Side::Device);
    let inserted = bulk::copy_tables(&source, &mut target, Side::Device).as_secs_f64();
    let copied = Sample::seconds("first sync of a new device, native", copied);
    report.add(copied.beside(BULK, inserted).goal(Goal::Times(2.0)));
    let pulled = Sample::seconds("pull of the same rows by a device that was away, native", pulled);
    report.add(pulled.beside(BULK, inserted));
}

/// All rows of the tables that are measured with.
fn count(device: &mut Device) -> usize {
    let counted = |table| device.text(&format!("SELECT count(*) AS n FROM {table}"));
    let counts = super::rows::TABLES.map(counted);
    counts
        .iter()
        .map(|count| count.parse::<usize>().expect("a count is a number"))
        .sum()
}
