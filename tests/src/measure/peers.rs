//! `peers`: other sync engines with the same rows, one after another on the same machine: `tests/peers`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use holdfast_core::ids::RowId;
use serde_json::{Value as Json, json};

use super::{
    Plan, bulk,
    counter::Counter,
    memory,
    report::{Goal, Report, Sample},
    rows::{Made, patient},
    script,
};
use crate::{
    hospital::{Hospital, PASSWORD},
    server::{Kind, Server},
};

/// How many rows unless told otherwise: with many more some of them do not come to an end.
const ROWS: usize = 1_000;

/// How many rows each of two devices changes, of which the other hears when it comes back.
const CHANGES: usize = 10;

/// What a push cannot be faster than.
const LIMIT: &str = "a push's limit, a plain bulk upsert of the same rows and log entries into PostgreSQL";

const NOTES: [&str; 4] = [
    "Write: each row by itself on a device without a network, kept in files. Holdfast's row is a signed transaction that is \
     forced to the disk before the next begins; automerge-repo, samod and PouchDB force nothing to the disk.",
    "automerge-repo and samod: no tables and no queries at the server, no log, no claims (a bed for one patient), no rights; a \
     device asks about each of its documents whenever it reconnects, and finds documents only by ids that somebody told it.",
    "PouchDB: keeps one revision of two concurrent ones and hides the other; no history after compaction, no merge of columns, no \
     tables in PostgreSQL, no signed log.",
    "Holdfast: server on PostgreSQL with tables, keys, log and history, every signature verified.",
];

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let rows = plan.rows.unwrap_or(ROWS).max(2 * CHANGES);
    let mut report = Report::new(format!(
        "{rows} patients of 14 columns, a document each; then two devices change {CHANGES} rows each, and one of them comes back. \
         Devices and server on this machine, stores in files"
    ));
    for run in 1..=plan.runs {
        eprintln!("peers, run {run} of {}", plan.runs);
        run_once(rows, &mut report);
    }
    for note in NOTES {
        report.note(note);
    }
    report
}

fn run_once(rows: usize, report: &mut Report) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rows.json");
    let patients: Vec<Json> = (0..rows).map(patient).collect();
    std::fs::write(&file, json!(patients).to_string()).expect("the rows are written");
    let ours = holdfast(&patients);
    for (name, mut command) in peers() {
        let theirs = script::answer(command.arg(&file).arg(CHANGES.to_string()));
        tell(report, &name, &ours, &theirs);
    }
}

fn tell(report: &mut Report, name: &str, ours: &Json, theirs: &Json) {
    let tenfold = Some(Goal::Times(0.1));
    for (what, field, unit, by, goal) in [
        ("write", "write", "s", 1.0, None),
        ("push", "push", "s", 1.0, tenfold),
        (LIMIT, "limit", "s", 1.0, None),
        ("pull by a new device", "pull", "s", 1.0, tenfold),
        ("reconnect", "reconnect", "ms", 1e3, tenfold),
        ("bytes of the reconnection", "reconnectBytes", "B", 1.0, None),
        ("server's peak memory", "memory", "MB", 1e-6, None),
    ] {
        let value = |json| script::number(json, field) * by;
        let mut sample = Sample::new(format!("{what}, beside {name}"), unit, value(ours)).beside(name, value(theirs));
        sample.goal = goal;
        report.add(sample);
    }
}

/// The same on Holdfast.
fn holdfast(patients: &[Json]) -> Json {
    eprintln!("  Holdfast: {} rows", patients.len());
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let mut laptop = hospital.device("ada");
    let mut yardstick = bulk::Yardstick::beside(&hospital.server);
    let begun = Instant::now();
    let mut ids = Vec::with_capacity(patients.len());
    for patient in patients {
        let mut values = patient.clone();
        // The engine sets it itself.
        values
            .as_object_mut()
            .expect("BUG: a row is an object")
            .remove("created_at");
        let receipt = laptop.run("createRow", json!({ "table": "patients", "values": values }));
        ids.push(receipt.rows[0].id.clone());
    }
    let write = begun.elapsed();
    let begun = Instant::now();
    laptop.sync();
    let push = begun.elapsed();
    let made = |id: &String| Made {
        table: "patients",
        row: RowId(id.parse().expect("a patient's key is a UUID")),
    };
    let made: Vec<Made> = ids.iter().map(made).collect();
    let limit = yardstick.catch_up(&hospital.server, &made);

    let mut tablet = hospital.new_device();
    tablet.sign_in("ada", PASSWORD).expect("the administrator can sign in");
    let begun = Instant::now();
    tablet.sync();
    let pull = begun.elapsed();

    let counter = Counter::before(&hospital.server.address());
    laptop.server = counter.address();
    let edit = |id: &String| json!({ "table": "patients", "id": id, "values": { "phone": "+49 30 7777777" } });
    for id in &ids[CHANGES..2 * CHANGES] {
        tablet.run("editRow", edit(id));
    }
    tablet.sync();
    for id in &ids[..CHANGES] {
        laptop.run("editRow", edit(id));
    }
    let begun = Instant::now();
    laptop.sync();
    let reconnect = begun.elapsed();
    let came = laptop.text("SELECT count(*) AS n FROM patients WHERE phone = '+49 30 7777777'");
    assert_eq!(came, (2 * CHANGES).to_string(), "all changes are on the device");
    json!({
        "write": write.as_secs_f64(), "push": push.as_secs_f64(),
        "limit": limit.as_secs_f64(), "pull": pull.as_secs_f64(),
        "reconnect": reconnect.as_secs_f64(), "reconnectBytes": counter.bytes(),
        "memory": memory::peak(hospital.server.process_id().expect("the server runs")),
    })
}

/// The others' programs, with their names and versions.
fn peers() -> Vec<(String, Command)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let lock = std::fs::read(folder.join("package-lock.json")).expect("the peers' lock file is there");
    let lock: Json = serde_json::from_slice(&lock).expect("the peers' lock file is JSON");
    let script = |package: &str, name: &str, file: &str| {
        let version = lock["packages"][format!("node_modules/{package}")]["version"].as_str();
        let mut command = Command::new("node");
        command.arg(folder.join(file));
        (format!("{name} {}", version.unwrap_or_default()), command)
    };
    let samod = std::env::var_os("HOLDFAST_PEER_SAMOD").map(PathBuf::from);
    let samod = samod.expect("HOLDFAST_PEER_SAMOD is not set: run `cargo xtask bench peers`");
    let locked = std::fs::read_to_string(folder.join("samod/Cargo.lock")).expect("samod's lock file is there");
    let version = locked
        .split_once("name = \"samod\"\nversion = \"")
        .and_then(|(_, rest)| rest.split('"').next());
    vec![
        script("@automerge/automerge-repo", "automerge-repo", "automerge_repo.mjs"),
        (format!("samod {}", version.unwrap_or_default()), Command::new(samod)),
        script("pouchdb", "PouchDB", "pouchdb.mjs"),
    ]
}
