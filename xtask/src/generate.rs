//! `cargo xtask generate`: the files that follow from core's schema.

use anyhow::Result;

use crate::process::Program;
use crate::project::Project;

/// Writes the generated files, or only looks for drift if `check`.
pub fn run(project: &Project, check: bool) -> Result<()> {
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
