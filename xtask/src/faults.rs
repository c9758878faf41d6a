//! `cargo xtask faults`: real faults with the real server, under load, and what was lost.

use anyhow::Result;

use crate::postgres::{Cluster, Durability};
use crate::process::Program;
use crate::project::Project;
use crate::setup::packages::{self, Need};
use crate::watch::watch;

/// Lets faults strike as `arguments` say (`--help` tells). Fails if something is lost or doubled.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    let console = &project.console;
    packages::ensure(console, &[Need::Postgres, Need::Networks])?;
    Program::cargo()
        .args(["build", "--release", "--bins"])
        .args(["--package", "holdfast-server", "--package", "holdfast-tests"])
        .folder(&project.root)
        .run(console)?;
    let cluster = Cluster::start(console, Durability::Full)?;
    let program = Program::new(project.target.join("release").join("faults"))
        .args(arguments)
        .env("HOLDFAST_TEST_POSTGRES", cluster.url())
        .folder(&project.root);
    watch(program, "the faults")
}
