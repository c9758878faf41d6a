//! How much one hospital's servers take in, one of them and several on the same PostgreSQL, and what a transaction costs.

use std::time::{Duration, Instant};

use holdfast_core::ids::Seq;
use holdfast_server::store::Location;
use holdfast_store::replica::{HttpRequest, Method, RequestKind};
use serde_json::{Value as Json, json};
use sqlx::{Connection as _, PgConnection};

use super::{
    Plan,
    report::{Report, Sample},
    rows::patient,
};
use crate::{
    device::Device,
    hospital::Hospital,
    postgres::block_on,
    server::{Kind, Server},
};

/// How many devices push at once, unless told otherwise.
const DEVICES: usize = 8;

/// How many new patients each has waiting, unless told otherwise.
const ROWS: usize = 1_000;

/// For how long they edit, and for how long they pull.
const SECONDS: u64 = 10;

/// What was measured of one number of servers.
struct Figures {
    backlog: Phase,
    edits: Phase,
    pulls: Phase,
    /// From push to answer, sorted.
    answers: Vec<Duration>,
}

/// Transactions of one kind.
#[derive(Clone, Copy, Debug)]
struct Phase {
    transactions: u32,
    took: Duration,
    /// Processor time of all servers; PostgreSQL's is not in it.
    processor: Duration,
    /// What the database has grown by, and what it wrote to its write-ahead log. Bytes.
    stored: i64,
    logged: i64,
}

/// Measures one server, then two on the same PostgreSQL.
pub fn measure(plan: &Plan) -> Report {
    let (devices, rows) = (plan.devices.unwrap_or(DEVICES), plan.rows.unwrap_or(ROWS));
    let mut report = Report::new(format!(
        "{devices} devices with {rows} new patients each; then {SECONDS} s of edits of one column, each in a push of its own; \
         then {SECONDS} s of pulls of the last entry. Devices, servers and PostgreSQL share this machine"
    ));
    for run in 1..=plan.runs {
        eprintln!("servers, run {run} of {}", plan.runs);
        let [one, two] = [1, 2].map(|servers| with(servers, devices, rows));
        tell(&mut report, &one, &two);
    }
    report
}

/// One of its phases.
type Of = fn(&Figures) -> Phase;

fn tell(report: &mut Report, one: &Figures, two: &Figures) {
    let beside = "two servers on the same PostgreSQL";
    let phases: [(&str, &str, Of); 3] = [
        ("new patients out of backlogs", "transactions", |figures| {
            figures.backlog
        }),
        ("edits, one to a push", "transactions", |figures| figures.edits),
        ("pulls of one entry", "pulls", |figures| figures.pulls),
    ];
    for (what, noun, of) in phases {
        let (one, two) = (of(one), of(two));
        let unit = if noun == "pulls" { "pulls/s" } else { "tx/s" };
        report.add(Sample::new(format!("{what}, one server"), unit, one.rate()).beside(beside, two.rate()));
        let processor = Sample::new(
            format!("{what}: the server's processor time for each"),
            "ms",
            one.processor(),
        );
        report.add(processor.beside(beside, two.processor()));
        if noun == "transactions" {
            let stored = Sample::new(format!("{what}: stored for each"), "B", one.stored());
            report.add(stored.beside("PostgreSQL's write-ahead log for each", one.logged()));
        }
    }
    for (name, part) in [
        ("half of the edits are answered within", 50),
        ("99 of 100 edits are answered within", 99),
    ] {
        let sample = Sample::new(name, "ms", one.answered(part));
        report.add(sample.beside(beside, two.answered(part)));
    }
}

/// So many servers on a database of their own.
fn with(servers: usize, devices: usize, rows: usize) -> Figures {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let mut devices: Vec<Device> = (0..devices).map(|_| hospital.device("ada")).collect();
    let mut others: Vec<Server> = (1..servers).map(|_| hospital.server.beside()).collect();
    others.iter_mut().for_each(Server::start);
    let all: Vec<&Server> = std::iter::once(&hospital.server).chain(&others).collect();
    for (number, device) in devices.iter_mut().enumerate() {
        all[number % servers].address().clone_into(&mut device.server);
        for row in 0..rows {
            let mut values = patient(number * rows + row);
            values
                .as_object_mut()
                .expect("BUG: it is an object")
                .remove("created_at");
            device.run("createRow", json!({ "table": "patients", "values": values }));
        }
    }

    let count = devices.len() * rows;
    let (backlog, ()) = phase(&all, || {
        each(&mut devices, |_, device| push(device).len());
        (count, ())
    });
    let (edits, mut answers) = phase(&all, || {
        let until = Instant::now() + Duration::from_secs(SECONDS);
        let answers: Vec<Duration> = each(&mut devices, |number, device| edit(device, number, until))
            .into_iter()
            .flatten()
            .collect();
        (answers.len(), answers)
    });
    answers.sort_unstable();
    let last = Seq(hospital.server.stream().len() as u64 - 1);
    let (pulls, ()) = phase(&all, || {
        let until = Instant::now() + Duration::from_secs(SECONDS);
        let pulled = each(&mut devices, |_, device| pull(device, last, until));
        (pulled.into_iter().sum(), ())
    });
    Figures {
        backlog,
        edits,
        pulls,
        answers,
    }
}

/// Edits one column of one patient after another, each in a push of its own.
fn edit(device: &mut Device, number: usize, until: Instant) -> Vec<Duration> {
    let find = format!("SELECT id FROM patients WHERE email LIKE 'p%' LIMIT 100 OFFSET {number}");
    let rows: Vec<Json> = device
        .rows(&find)
        .into_iter()
        .filter_map(|mut row| row.remove("id"))
        .collect();
    assert!(!rows.is_empty(), "there are patients to edit");
    let mut answers = Vec::new();
    for (count, id) in rows.iter().cycle().enumerate() {
        if Instant::now() >= until {
            break;
        }
        let values = json!({ "phone": format!("+49 30 {count}") });
        device.run("editRow", json!({ "table": "patients", "id": id, "values": values }));
        answers.extend(push(device));
    }
    answers
}

/// Pulls what came last again and again, as a device does that was poked. Returns how often.
fn pull(device: &mut Device, after: Seq, until: Instant) -> usize {
    let request = HttpRequest {
        method: Method::Get,
        path: format!("/v1/pull?after={after}&limit=2000"),
        body: Vec::new(),
        kind: RequestKind::Pull(after, None),
    };
    let mut count = 0;
    while Instant::now() < until {
        let answer = device.ask(&request).expect("the server answers");
        assert_eq!(answer.status, 200);
        count += 1;
    }
    count
}

/// Pushes all that waits. Returns how long each answer took.
fn push(device: &mut Device) -> Vec<Duration> {
    let mut answers = Vec::new();
    device.replica.wake();
    while let Some(request) = device.next_request().filter(|request| request.path.contains("/push")) {
        answers.push(device.exchange_timed(&request).expect("the push goes well"));
    }
    answers
}

/// Lets every device do something, all at once.
fn each<T: Send>(devices: &mut [Device], work: impl Fn(usize, &mut Device) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let begin = |(number, device)| {
            let work = &work;
            scope.spawn(move || work(number, device))
        };
        let threads: Vec<_> = devices.iter_mut().enumerate().map(begin).collect();
        let ended = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.map(|done| done.expect("the device works")).collect()
    })
}

fn phase<T>(servers: &[&Server], work: impl FnOnce() -> (usize, T)) -> (Phase, T) {
    let processor = || {
        servers
            .iter()
            .filter_map(|server| server.processor_time())
            .sum::<Duration>()
    };
    let (before, used) = (sizes(servers[0]), processor());
    let begun = Instant::now();
    let (transactions, result) = work();
    let took = begun.elapsed();
    let after = sizes(servers[0]);
    let phase = Phase {
        transactions: u32::try_from(transactions).unwrap_or(u32::MAX),
        took,
        processor: processor().saturating_sub(used),
        stored: after.0 - before.0,
        logged: after.1 - before.1,
    };
    (phase, result)
}

/// How large the database is, and how far its write-ahead log.
fn sizes(server: &Server) -> (i64, i64) {
    let Location::Database(url) = server.location() else {
        unreachable!("BUG: only PostgreSQL is measured here")
    };
    block_on(async {
        let mut connection = PgConnection::connect(&url).await?;
        let sql = "SELECT pg_database_size(current_database()), (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint";
        sqlx::query_as(sql).fetch_one(&mut connection).await
    })
    .expect("PostgreSQL tells sizes")
}

impl Phase {
    fn count(self) -> f64 {
        f64::from(self.transactions.max(1))
    }

    /// Transactions a second.
    fn rate(self) -> f64 {
        self.count() / self.took.as_secs_f64()
    }

    /// Milliseconds for each.
    fn processor(self) -> f64 {
        1e3 * self.processor.as_secs_f64() / self.count()
    }

    fn stored(self) -> f64 {
        self.stored as f64 / self.count()
    }

    fn logged(self) -> f64 {
        self.logged as f64 / self.count()
    }
}

impl Figures {
    /// Milliseconds in which this part of a hundred was answered.
    fn answered(&self, part: usize) -> f64 {
        let place = (self.answers.len() * part / 100).min(self.answers.len().saturating_sub(1));
        1e3 * self.answers.get(place).copied().unwrap_or_default().as_secs_f64()
    }
}
