//! `cargo xtask bench`: measurements.

mod document;

use anyhow::Result;

use crate::postgres::{Cluster, Durability};
use crate::process::Program;
use crate::project::Project;
use crate::setup::packages::{self, Need};
use crate::watch::watch;

/// Runs the benchmark that `arguments` begin with (all of them if none), passing on the others.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((name, options)) if name == "document" => document::run(project, options),
        Some(_) => push_pull(project, arguments),
        None => push_pull(project, arguments).and_then(|()| document::run(project, arguments)),
    }
}

/// With a PostgreSQL that is as careful as a hospital's.
fn push_pull(project: &Project, arguments: &[String]) -> Result<()> {
    let console = &project.console;
    packages::ensure(console, &[Need::Postgres])?;
    let cluster = Cluster::start(console, Durability::Full)?;
    let program = Program::cargo()
        .args([
            "run",
            "--release",
            "--package",
            "holdfast-tests",
            "--bin",
            "bench",
            "--",
        ])
        .args(arguments)
        .env("HOLDFAST_TEST_POSTGRES", cluster.url())
        .folder(&project.root);
    watch(program, "the benchmark")
}
