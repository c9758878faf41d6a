//! The sync server's binary.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::Program;
use crate::project::Project;

/// All crates but the build tool's, as arguments of cargo. Those are compiled by themselves: together with the others
/// their many dependencies would be compiled once more, with other features.
pub const PRODUCT: [&str; 5] = ["--workspace", "--exclude", "xtask", "--exclude", "holdfast-bindgen"];

/// How the server is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// As it is shipped.
    Release,
    /// As the tests have it built already.
    Development,
}

/// Builds the server. Cargo knows what is up to date.
pub fn build(project: &Project, profile: Profile) -> Result<PathBuf> {
    let build = Program::cargo().arg("build").folder(&project.root);
    let (build, folder) = match profile {
        Profile::Release => (build.args(["--package", "holdfast-server", "--release"]), "release"),
        // Packages and targets as `cargo test` chooses them, so that nothing is compiled twice with other features.
        Profile::Development => (build.args(PRODUCT).args(["--bins", "--tests"]), "debug"),
    };
    build.run(&project.console)?;
    Ok(project.target.join(folder).join("sync-server"))
}
