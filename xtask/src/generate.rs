//! `cargo xtask generate`: the files that follow from core's schema.

use anyhow::{Result, bail};

use crate::process::Program;
use crate::project::Project;

/// Writes the generated files, or only looks for drift if `check`.
pub fn run(project: &Project, check: bool) -> Result<()> {
    if !project.root.join("xtask/generate/Cargo.toml").exists() {
        bail!("the generator is not there yet: core has no function that makes the TypeScript types");
    }
    let mut program = Program::cargo()
        .args(["run", "--package", "holdfast-generate", "--"])
        .folder(&project.root);
    if check {
        program = program
            .arg("--check")
            .advice("run `cargo xtask generate` and commit what it writes");
    }
    program.run(&project.console)?;
    Ok(())
}
