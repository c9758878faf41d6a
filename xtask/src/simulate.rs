//! `cargo xtask simulate`: the simulation with many seeds, as for a night.

use anyhow::Result;

use crate::process::Program;
use crate::project::Project;
use crate::watch::watch;

/// Runs seeds as `arguments` say (`--help` tells). Fails if one of them does; it is printed as a test to be pasted.
pub fn run(project: &Project, arguments: &[String]) -> Result<()> {
    let program = Program::cargo()
        .args([
            "run",
            "--release",
            "--package",
            "holdfast-simulation",
            "--bin",
            "simulate",
            "--",
        ])
        .args(arguments)
        .folder(&project.root);
    watch(program, "the simulation")
}
