//! `cargo xtask tidy`: what reviewers tire of saying. Every finding names its place and what to do.

mod licence;
mod links;
mod policy;
mod sources;

use anyhow::{Context, Result, bail};

use crate::process::Program;
use crate::project::Project;

/// Something that is not as it should be.
type Finding = String;

/// Runs all checks and tells all that they find.
pub fn run(project: &Project) -> Result<()> {
    let files = tracked_files(project)?;
    let mut findings = licence::check(project)?;
    findings.extend(sources::check(&project.root, &files)?);
    findings.extend(links::check(&project.root, &files)?);
    if findings.is_empty() {
        project
            .console
            .say(&format!("      {} files looked at, nothing found", files.len()));
        return Ok(());
    }
    bail!(
        "tidy found {}:\n      - {}",
        findings.len(),
        findings.join("\n      - ")
    );
}

/// The files of the project, relative to its folder: those in git, and those about to be.
fn tracked_files(project: &Project) -> Result<Vec<String>> {
    // Root may test a checkout that another user owns.
    let safe = format!("safe.directory={}", project.root.display());
    let list = Program::new("git")
        .args([
            "-c",
            &safe,
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .folder(&project.root)
        .answer()
        .context("`git ls-files` failed: tidy needs git and a checkout")?;
    let exists = |file: &&str| !file.is_empty() && project.root.join(file).is_file();
    Ok(list.split('\0').filter(exists).map(str::to_owned).collect())
}
