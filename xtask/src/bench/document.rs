//! `cargo xtask bench document [--browser]`: the merge engine beside the Automerge library, natively or in a browser.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::Program;
use crate::project::Project;
use crate::setup::packages::{self, Need};
use crate::setup::rust::{self, WASM_TARGET};
use crate::watch::watch;
use crate::{wasm, web};

const PACKAGE: &str = "holdfast-document-bench";

/// The module's name as cargo and wasm-bindgen write it.
const STEM: &str = "holdfast_document_bench";

/// Prints Markdown: the surroundings, then the tables. All options but `--browser` go to the benchmark.
pub fn run(project: &Project, options: &[String]) -> Result<()> {
    let in_browser = options.iter().any(|option| option == "--browser");
    let options: Vec<&String> = options.iter().filter(|option| *option != "--browser").collect();
    let program = if in_browser {
        let module = module(project)?;
        let script = project.journeys().join("document_bench.mjs");
        let program = Program::new("node").arg(script).arg(module);
        match packages::browser() {
            Some(browser) => program.env("HOLDFAST_CHROMIUM", browser),
            None => program,
        }
    } else {
        Program::cargo()
            .args(["bench", "--package", PACKAGE, "--bench", "document", "--"])
            .folder(&project.root)
    };
    project.console.say(&surroundings(project)?);
    watch(program.args(options), "the benchmark")
}

/// The benchmark as an ES module, compiled and shrunk as the engine is for the app. The folder it is in.
fn module(project: &Project) -> Result<PathBuf> {
    let console = &project.console;
    packages::ensure(console, &[Need::Browser])?;
    rust::ensure_wasm_target(console)?;
    web::packages(project)?;
    // A library for Rust by its manifest: only here is it linked into a module.
    let library = ["rustc", "--package", PACKAGE, "--lib", "--crate-type", "cdylib"];
    Program::cargo()
        .args(library)
        .args(["--target", WASM_TARGET, "--profile", "wasm"])
        .folder(&project.root)
        .run(console)?;
    let folder = project.scratch("document-bench")?;
    let built = project
        .target
        .join(WASM_TARGET)
        .join("wasm")
        .join(format!("{STEM}.wasm"));
    wasm::bind(project, &built, &folder)?;
    wasm::shrink(project, &folder.join(format!("{STEM}_bg.wasm")))?;
    Ok(folder)
}

/// The machine and the versions, as a line for people.
fn surroundings(project: &Project) -> Result<String> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let rust = Program::new("rustc").arg("--version").folder(&project.root).answer();
    let rust = rust.context("`rustc --version` says nothing")?;
    let revision = Program::new("git")
        .args(["describe", "--always", "--dirty"])
        .folder(&project.root)
        .answer()
        .unwrap_or_else(|| "not from a repository".into());
    Ok(format!(
        "{}, {processors} processors; {}; automerge {}; Holdfast {}\n",
        processor(),
        rust.trim(),
        locked(&project.root, "automerge")?,
        revision.trim(),
    ))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |model| model.trim_start_matches([' ', '\t', ':']).to_owned(),
    )
}

/// The version of a crate that is built with.
fn locked(root: &Path, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(root.join("Cargo.lock")).context("reading Cargo.lock")?;
    let (_, after) = text
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .with_context(|| format!("Cargo.lock names no {name}"))?;
    let (version, _) = after.split_once('"').context("Cargo.lock ends within a version")?;
    Ok(version.to_owned())
}
