//! Where things live.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::console::Console;
use crate::process::Program;

/// The checkout that is worked on, and the console that tells about it.
pub struct Project {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's output folder.
    pub target: PathBuf,
    /// What people see.
    pub console: Console,
}

impl Project {
    /// Finds the folders. Cargo is asked, since a person may have moved the output folder.
    pub fn find(verbose: bool) -> Result<Self> {
        let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest_dir
            .parent()
            .context("BUG: xtask lies in the workspace's folder")?
            .to_owned();
        let metadata = Program::cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .folder(&root)
            .answer()
            .context("`cargo metadata` failed; `cargo check` in the project's folder tells why")?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata).context("reading `cargo metadata`")?;
        let target = metadata["target_directory"]
            .as_str()
            .context("`cargo metadata` names no target folder")?;
        Ok(Self {
            root,
            target: target.into(),
            console: Console::new(verbose),
        })
    }

    /// The ward app's folder.
    pub fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// The built ward app, as the server hands it out.
    pub fn app(&self) -> PathBuf {
        self.web().join("dist")
    }

    /// The engine as an ES module.
    pub fn engine(&self) -> PathBuf {
        self.web().join("src/engine/pkg")
    }

    /// The browser journeys.
    pub fn journeys(&self) -> PathBuf {
        self.root.join("tests/browser")
    }

    /// The tests against Automerge's own library.
    pub fn automerge(&self) -> PathBuf {
        self.root.join("tests/automerge")
    }

    /// A file of the build tool itself, in cargo's output folder.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("xtask");
        std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(folder.join(name))
    }
}
