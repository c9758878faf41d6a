//! `cargo xtask faults`: real faults with the real server, under load, and what was lost.

use anyhow::Result;

use crate::postgres::{Cluster, Durability};
use crate::process::Program;
use crate::project::Project;
use crate::server::{self, Profile};
use crate::setup::packages::{self, Need};
use crate::watch::watch;

/// Lets faults strike as `arguments` say (`--help` tells). Fails if something is lost or doubled.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    let console = &project.console;
    packages::ensure(console, &[Need::Postgres, Need::Networks])?;
    let server = server::build(project, Profile::Release)?;
    Program::cargo()
        .args(["build", "--release", "--package", "holdfast-tests", "--bins"])
        .folder(&project.root)
        .run(console)?;
    let cluster = Cluster::start(console, Durability::Full)?;
    let program = Program::new(project.target.join("release").join("faults"))
        .args(arguments)
        .env("HOLDFAST_TEST_POSTGRES", cluster.url())
        .env("HOLDFAST_SERVER_BIN", server)
        .folder(&project.root);
    watch(program, "the faults")
}
