//! The steps of a test run, in order: what is quick to fail comes first.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Bench;
use super::count::{self, Tally};
use super::fuzz;
use crate::console::seconds;
use crate::postgres::{Cluster, Durability};
use crate::process::{Ended, Program};
use crate::project::Project;
use crate::server::{self, Profile};
use crate::setup::packages::{self, Need};
use crate::setup::{Outcome, node, rust};
use crate::wasm::{self, Size};
use crate::{generate, tidy, web};

/// A named part of the test run.
pub struct Step {
    /// Its name, for `--only` and the table.
    pub name: &'static str,
    /// The steps that must have passed before it.
    pub after: &'static [&'static str],
    /// What it needs of the system's packages.
    pub packages: &'static [Need],
    /// What it does.
    pub work: Work,
}

/// What a step does, by how it counts.
pub enum Work {
    /// Prepares; counts only if it fails.
    SetUp(fn(&mut Bench) -> Result<Outcome>),
    /// Counts as one.
    Check(fn(&mut Bench) -> Result<()>),
    /// Counts what its tests count.
    Tests(fn(&mut Bench) -> Result<Tally>),
}

const fn step(name: &'static str, after: &'static [&'static str], work: Work) -> Step {
    Step {
        name,
        after,
        packages: &[],
        work,
    }
}

impl Step {
    const fn needing(mut self, packages: &'static [Need]) -> Self {
        self.packages = packages;
        self
    }
}

/// All steps, in order.
pub const STEPS: &[Step] = &[
    step(
        "packages",
        &[],
        Work::SetUp(|bench| packages::ensure(&bench.project.console, &bench.needs)),
    ),
    step("rust-tools", &[], Work::SetUp(rust_tools)),
    step(
        "format",
        &["rust-tools"],
        Work::Check(|bench| cargo(bench, &["fmt", "--check"])),
    ),
    step("tidy", &[], Work::Check(|bench| tidy::run(bench.project))),
    step("web-packages", &[], Work::SetUp(|bench| web::packages(bench.project))),
    step("clippy", &["rust-tools"], Work::Check(clippy)),
    step("clippy-wasm", &["packages", "rust-tools"], Work::Check(clippy_wasm)).needing(&[Need::WasmCompiler]),
    step(
        "generated",
        &[],
        Work::Check(|bench| generate::run(bench.project, true)),
    ),
    step(
        "engine",
        &["packages", "rust-tools", "web-packages"],
        Work::Check(engine),
    )
    .needing(&[Need::WasmCompiler]),
    step(
        "web-check",
        &["web-packages", "engine"],
        Work::Check(|bench| npm(bench, "check")),
    ),
    step("web-tests", &["web-packages"], Work::Tests(vitest)),
    step(
        "web-build",
        &["web-packages", "engine"],
        Work::Check(|bench| web::build(bench.project).map(drop)),
    ),
    step(
        "app-size",
        &["web-build"],
        Work::Check(|bench| web::first_visit::check(bench.project)),
    ),
    step("postgres", &["packages"], Work::SetUp(postgres)).needing(&[Need::Postgres]),
    step("rust-tests", &["packages", "postgres"], Work::Tests(rust_tests)).needing(&[Need::Networks]),
    step("fuzz", &["packages"], Work::Tests(fuzz::run)).needing(&[Need::CppCompiler]),
    step("automerge-packages", &[], Work::SetUp(automerge_packages)),
    step("automerge", &["automerge-packages"], Work::Tests(automerge)),
    step("browser", &["packages", "web-build", "postgres"], Work::Tests(browser)).needing(&[Need::Browser]),
];

/// The names of all steps.
pub fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

fn rust_tools(bench: &mut Bench) -> Result<Outcome> {
    let console = &bench.project.console;
    let lints = rust::ensure_lint_tools(console)?;
    let target = rust::ensure_wasm_target(console)?;
    Ok(if lints == target { lints } else { Outcome::Done })
}

fn cargo(bench: &mut Bench, arguments: &[&str]) -> Result<()> {
    Program::cargo()
        .args(arguments)
        .folder(&bench.project.root)
        .run(&bench.project.console)
        .map(drop)
}

fn clippy(bench: &mut Bench) -> Result<()> {
    cargo(
        bench,
        &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    )
}

/// The code that exists only in browsers is seen only by a linter that compiles for them.
fn clippy_wasm(bench: &mut Bench) -> Result<()> {
    let program = wasm::cargo(bench.project, "clippy")?.args(["--", "-D", "warnings"]);
    program.run(&bench.project.console).map(drop)
}

fn engine(bench: &mut Bench) -> Result<()> {
    wasm::build(bench.project, Size::Small).map(drop)
}

fn npm(bench: &mut Bench, script: &str) -> Result<()> {
    web::npm(bench.project, script).run(&bench.project.console).map(drop)
}

fn postgres(bench: &mut Bench) -> Result<Outcome> {
    bench.cluster = Some(Cluster::start(&bench.project.console, Durability::None)?);
    Ok(Outcome::Done)
}

/// `program` with what tests look for in their environment.
fn with_test_environment(bench: &Bench, program: Program) -> Program {
    let program = match &bench.cluster {
        Some(cluster) => program.env("HOLDFAST_TEST_POSTGRES", cluster.url()),
        None => program,
    };
    match packages::browser() {
        Some(browser) => program.env("HOLDFAST_CHROMIUM", browser),
        None => program,
    }
}

fn rust_tests(bench: &mut Bench) -> Result<Tally> {
    let mut tally = Tally::default();
    for packages in [&server::PRODUCT[..], &["--package", "xtask"][..]] {
        let program = Program::cargo()
            .args(["test", "--no-fail-fast"])
            .args(packages)
            .folder(&bench.project.root);
        let ended = with_test_environment(bench, program).finish(&bench.project.console)?;
        tally += report(bench.project, &ended, count::cargo_test(&ended.lines));
    }
    Ok(tally)
}

fn vitest(bench: &mut Bench) -> Result<Tally> {
    let file = bench.project.scratch("vitest.json")?;
    remove_old(&file)?;
    let reporters = [
        "--",
        "--reporter=default",
        "--reporter=json",
        &format!("--outputFile.json={}", file.display()),
    ];
    let ended = web::npm(bench.project, "test")
        .args(reporters)
        .finish(&bench.project.console)?;
    let report_text = std::fs::read_to_string(&file).unwrap_or_default();
    let tally = count::vitest(&serde_json::from_str(&report_text).unwrap_or_default());
    Ok(report(bench.project, &ended, tally))
}

fn browser(bench: &mut Bench) -> Result<Tally> {
    let binary = server::build(bench.project, Profile::Development)?;
    let program = Program::new("node")
        .env("HOLDFAST_SERVER_BIN", binary)
        .env("HOLDFAST_WEB_DIST", bench.project.app());
    node_tests(bench, &bench.project.journeys(), program)
}

fn automerge_packages(bench: &mut Bench) -> Result<Outcome> {
    node::ensure_packages(&bench.project.console, &bench.project.automerge())
}

/// What Holdfast writes and reads, against Automerge's own library from npm.
fn automerge(bench: &mut Bench) -> Result<Tally> {
    let binary = server::build(bench.project, Profile::Development)?.with_file_name("exchange");
    let program = Program::new("node").env("HOLDFAST_EXCHANGE_BIN", binary);
    node_tests(bench, &bench.project.automerge(), program)
}

/// Runs the test files of a folder in Node.js' own test runner.
fn node_tests(bench: &Bench, folder: &Path, program: Program) -> Result<Tally> {
    let project = bench.project;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let file = project.scratch(&format!("{name}.tap"))?;
    remove_old(&file)?;
    let program = program
        .args(["--test", "--test-concurrency=1"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .args([
            "--test-reporter=tap",
            &format!("--test-reporter-destination={}", file.display()),
        ])
        .args(test_files(folder)?)
        .folder(&project.root);
    let ended = with_test_environment(bench, program).finish(&project.console)?;
    let tap: Vec<String> = std::fs::read_to_string(&file)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    Ok(report(project, &ended, count::node_tap(&tap)))
}

/// `*.test.mjs`, `*.test.js`, `*.test.ts` right in the folder.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_test = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        [".test.mjs", ".test.js", ".test.ts"]
            .iter()
            .any(|ending| name.ends_with(ending))
    };
    let entries = std::fs::read_dir(folder).with_context(|| format!("there are no tests in {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_test).collect();
    if files.is_empty() {
        bail!("there are no tests (*.test.mjs) in {}", folder.display());
    }
    files.sort();
    Ok(files)
}

/// Shows the output of tests that failed, and settles what they count.
fn report(project: &Project, ended: &Ended, tally: Tally) -> Tally {
    let tally = tally.settled(ended.success);
    if tally.failed > 0 {
        project.console.failed_output(&ended.lines);
        project
            .console
            .say(&format!("      {}, after {}", ended.status, seconds(ended.took)));
    }
    tally
}

/// A report of an earlier run must not be taken for this one's.
fn remove_old(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", file.display()))
        }
        _ => Ok(()),
    }
}
