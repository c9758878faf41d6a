//! `cargo xtask bench`: measurements, with a PostgreSQL that is as careful as a hospital's.

use anyhow::{Result, bail};

use crate::interrupt::{self, Interrupted};
use crate::postgres::{Cluster, Durability};
use crate::process::Program;
use crate::project::Project;
use crate::setup::packages::{self, Need};

/// Runs the benchmark `name` (all of them if none), passing on `arguments`.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    let console = &project.console;
    packages::ensure(console, &[Need::Postgres])?;
    let cluster = Cluster::start(console, Durability::Full)?;
    let mut running = Program::cargo()
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
        .folder(&project.root)
        .start()?;
    loop {
        if interrupt::requested() {
            bail!(Interrupted);
        }
        if let Some(status) = running.ended()? {
            if !status.success() {
                bail!("the benchmark failed: {status}");
            }
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
