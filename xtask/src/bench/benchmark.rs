//! The benchmarks: what each needs, and how it is run.

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::Value as Json;

use super::{Options, document, surroundings};
use crate::postgres::{Cluster, Durability};
use crate::process::Program;
use crate::project::Project;
use crate::server::{self, Profile};
use crate::setup::node;
use crate::setup::packages::{self, Need};
use crate::watch::watch;
use crate::{run, wasm, web};

/// How often a benchmark is measured unless it or the command says otherwise.
const RUNS: u32 = 3;

/// A benchmark.
pub struct Benchmark {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it measures, in a few words.
    pub about: &'static str,
    /// How often it is measured unless told.
    runs: u32,
    kind: Kind,
}

/// How a benchmark is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// By `tests/src/measure`, with a PostgreSQL.
    Server,
    /// The same, and a browser with the app.
    Browser,
    /// The same, and other sync engines.
    Peers,
    /// The merge engine's own; in a browser or not.
    Document { in_browser: bool },
}

/// All of them, in the table's order.
pub const ALL: [Benchmark; 12] = [
    Benchmark::new(
        "push",
        "new rows and edits into the hospital's tables",
        RUNS,
        Kind::Server,
    ),
    Benchmark::new(
        "pull",
        "first sync of a device, natively and in a browser",
        RUNS,
        Kind::Browser,
    ),
    Benchmark::new(
        "reconnect",
        "10 missing changes, however much the hospital holds",
        1,
        Kind::Server,
    ),
    Benchmark::new("everybody", "a thousand devices come back at once", 1, Kind::Server),
    Benchmark::new("idle", "memory for each device that only listens", 1, Kind::Server),
    Benchmark::new(
        "device",
        "the app in a browser with 50,000 patients",
        RUNS,
        Kind::Browser,
    ),
    Benchmark::new("wire", "bytes that go over the network", 1, Kind::Server),
    Benchmark::new("growth", "the server while the store grows", 1, Kind::Server),
    Benchmark::new("servers", "several servers on one PostgreSQL", 1, Kind::Server),
    Benchmark::new("peers", "other sync engines with the same rows", 1, Kind::Peers),
    Benchmark::new(
        "document",
        "the merge engine beside Automerge",
        1,
        Kind::Document { in_browser: false },
    ),
    Benchmark::new(
        "document-browser",
        "the same in a browser",
        1,
        Kind::Document { in_browser: true },
    ),
];

impl Benchmark {
    const fn new(name: &'static str, about: &'static str, runs: u32, kind: Kind) -> Self {
        Self {
            name,
            about,
            runs,
            kind,
        }
    }

    /// Sets up what is missing, measures, and returns the benchmark's part of the record.
    pub fn run(&self, project: &Project, options: &Options) -> Result<Json> {
        let runs = options.runs.unwrap_or(self.runs);
        let surroundings = surroundings::of(project, self.needs_browser())?;
        let mut part = match self.kind {
            Kind::Document { in_browser } => document::run(project, in_browser)?,
            _ => self.measure(project, options, runs)?,
        };
        let fields = part.as_object_mut().context("BUG: a part is an object")?;
        fields.insert("name".into(), self.name.into());
        fields.insert("about".into(), self.about.into());
        if !matches!(self.kind, Kind::Document { .. }) {
            fields.insert("runs".into(), runs.into());
        }
        fields.insert("surroundings".into(), surroundings);
        Ok(part)
    }

    fn needs_browser(&self) -> bool {
        matches!(self.kind, Kind::Browser | Kind::Document { in_browser: true })
    }

    /// With a PostgreSQL that is as careful as a hospital's.
    fn measure(&self, project: &Project, options: &Options, runs: u32) -> Result<Json> {
        let console = &project.console;
        packages::ensure(console, &[Need::Postgres])?;
        let server = server::build(project, Profile::Release)?;
        Program::cargo()
            .args(["build", "--release", "--package", "holdfast-tests", "--bin", "bench"])
            .folder(&project.root)
            .run(console)?;
        let to = project.scratch(&format!("bench-{}.json", self.name))?;
        let mut program = Program::new(project.target.join("release").join("bench"))
            .arg(self.name)
            .args(["--runs", &runs.to_string()])
            .arg("--to")
            .arg(&to)
            .env("HOLDFAST_SERVER_BIN", server)
            .folder(&project.root);
        for (option, value) in [("--rows", options.rows), ("--devices", options.devices)] {
            if let Some(value) = value {
                program = program.args([option, &value.to_string()]);
            }
        }
        if let Some(only) = &options.only {
            program = program.args(["--only", only]);
        }
        program = match self.kind {
            Kind::Browser => with_browser(project, program)?,
            Kind::Peers => with_peers(project, program)?,
            _ => program,
        };
        allow_files()?;
        let cluster = Cluster::start(console, Durability::Full)?;
        watch(program.env("HOLDFAST_TEST_POSTGRES", cluster.url()), "the benchmark")?;
        let text = std::fs::read_to_string(&to).with_context(|| format!("reading {}", to.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", to.display()))
    }
}

/// Lets the benchmark have as many open files as the system gives: each device's connection is one.
fn allow_files() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).context("asking how many files may be open")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("asking for more open files")
}

/// The app as it is shipped, a browser, and bare SQLite for it.
fn with_browser(project: &Project, program: Program) -> Result<Program> {
    packages::ensure(&project.console, &[Need::Browser])?;
    run::build(project)?;
    node::ensure_packages(&project.console, &project.automerge())?;
    let bare = bare_sqlite(project)?;
    let program = program
        .env("HOLDFAST_WEB_DIST", project.app())
        .env("HOLDFAST_BARE_SQLITE", bare);
    Ok(match packages::browser() {
        Some(browser) => program.env("HOLDFAST_CHROMIUM", browser),
        None => program,
    })
}

/// The other engines: what npm brings, and a program for the one in Rust, which has a lock file of its own.
fn with_peers(project: &Project, program: Program) -> Result<Program> {
    let peers = project.root.join("tests/peers");
    node::ensure_packages(&project.console, &peers)?;
    let samod = peers.join("samod");
    Program::cargo()
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(project.target.join("peers"))
        .folder(&samod)
        .run(&project.console)?;
    Ok(program.env(
        "HOLDFAST_PEER_SAMOD",
        project.target.join("peers/release/holdfast-peer-samod"),
    ))
}

const BARE: &str = "holdfast-bare-sqlite";

/// SQLite without Holdfast, as an ES module, compiled and shrunk as the engine is for the app. The folder it is in.
fn bare_sqlite(project: &Project) -> Result<std::path::PathBuf> {
    web::packages(project)?;
    wasm::module(project, BARE)
}

/// What every part has, for the tests of the table.
#[cfg(test)]
pub fn example(name: &str, figures: &Json) -> Json {
    serde_json::json!({ "name": name, "about": "an example", "setting": "On nothing.", "figures": figures, "notes": [], "runs": 3,
        "surroundings": { "date": "2026-01-31", "commit": "abc1234", "machine": "a processor", "versions": "rustc 1",
            "load": "0.10" } })
}
