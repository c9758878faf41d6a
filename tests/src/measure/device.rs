//! `device`: the ward app in Chromium with 50,000 patients, beside bare SQLite in the same browser on the same kind of file.

use serde_json::Value as Json;

use super::{
    Plan,
    load::load,
    report::{Goal, Report, Sample},
    rows::{new_id, row},
    script,
};
use crate::{
    hospital::{Hospital, PASSWORD},
    server::{Kind, Server},
};

/// How many patients unless told otherwise.
const PATIENTS: usize = 50_000;

/// How many beds the ward board shows, besides the few of the small hospital.
const BEDS: usize = 200;

const BARE: &str = "bare SQLite on OPFS, same cipher and settings";

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let patients = plan.rows.unwrap_or(PATIENTS);
    let mut report = Report::new(format!(
        "{patients} patients and {BEDS} beds on a device, in Chromium without a window; the store is encrypted, as it is always"
    ));
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let made = (0..patients).map(|number| row("patients", number, new_id()));
    load(
        &hospital.server,
        made.chain((0..BEDS).map(|number| row("beds", number, new_id()))),
    );
    let app = script::app_server(&hospital.server);
    for run in 1..=plan.runs {
        eprintln!("device, run {run} of {}", plan.runs);
        let found = script::run("device.mjs", &[&app.address(), "ada", PASSWORD, &patients.to_string()]);
        tell(&mut report, &found);
    }
    report
}

fn tell(report: &mut Report, found: &Json) {
    let number = |name| script::number(found, name);
    let command = Sample::new(
        "a command, from the page's call until it is on the disk",
        "ms",
        number("command"),
    );
    let command = command.beside(
        format!("{BARE}: the same UPDATE, from a page as well"),
        number("bareTransaction"),
    );
    report.add(command.goal(Goal::Times(1.5)));
    report.explain(
        "a command, from the page's call until it is on the disk",
        "one column of one patient, offline; both with the message to a worker and back, and 30 ms of rest before the next",
    );
    let open = Sample::new(
        "the app opened offline, until the ward board shows",
        "ms",
        number("open"),
    );
    report.add(open.beside(format!("{BARE}: module, file and the beds"), number("bareOpen")));
    let typed = Sample::new("of that, from the password to the board", "ms", number("unlock"));
    report.add(typed.beside(format!("{BARE}: module, file and the beds"), number("bareOpen")));
    let search = Sample::new(
        "a search by name or number, from the last key to the screen",
        "ms",
        number("search"),
    );
    report.add(search.beside(format!("{BARE}: the same condition"), number("bareSearch")));
    let disk = Sample::new("on the disk", "MB", number("disk") / 1e6);
    report.add(disk.beside(BARE, number("bareDisk") / 1e6).goal(Goal::AtMost(100.0)));
    let app = Sample::new(
        "the app, all that a first visit loads, by brotli",
        "KB",
        number("app") / 1e3,
    );
    report.add(
        app.beside("Automerge's WebAssembly alone", number("automerge") / 1e3)
            .goal(Goal::AtMost(800.0)),
    );
}
