//! The ward app: its packages and its build.

pub mod first_visit;

use anyhow::Result;

use crate::process::Program;
use crate::project::Project;
use crate::setup::{Outcome, node};
use crate::stamp::Stamp;

/// Installs the app's packages.
pub fn packages(project: &Project) -> Result<Outcome> {
    node::ensure_packages(&project.console, &project.web())
}

/// Builds the app, with the engine in it, into `web/dist`.
pub fn build(project: &Project) -> Result<Outcome> {
    let web = project.web();
    let stamp = Stamp::of(project.scratch("app.stamp")?, &[&web], "")?;
    if stamp.is_fresh(&[&project.app().join("index.html")]) {
        return Ok(Outcome::UpToDate);
    }
    npm(project, "build").run(&project.console)?;
    // Counted again: the build may write into its own sources.
    Stamp::of(project.scratch("app.stamp")?, &[&web], "")?.remember()?;
    Ok(Outcome::Done)
}

/// `npm run SCRIPT` in the app's folder.
pub fn npm(project: &Project, script: &str) -> Program {
    Program::new("npm").args(["run", script]).folder(&project.web())
}
