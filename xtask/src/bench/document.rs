//! The merge engine beside the Automerge library, natively or in a browser: it makes its tables itself.

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use crate::process::Program;
use crate::project::Project;
use crate::setup::packages::{self, Need};
use crate::setup::rust;
use crate::watch::watch;
use crate::{wasm, web};

const PACKAGE: &str = "holdfast-document-bench";

/// Measures, and returns what the benchmark printed as a part of the record.
pub fn run(project: &Project, in_browser: bool) -> Result<Json> {
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
            .args(["bench", "--package", PACKAGE, "--bench", "document"])
            .folder(&project.root)
    };
    let to = project.scratch("bench-document.md")?;
    watch(program.answer_to(&to)?, "the benchmark")?;
    let tables = std::fs::read_to_string(&to).with_context(|| format!("reading {}", to.display()))?;
    Ok(json!({
        "setting": "Median of many samples by processor time, each side in turn; ± is how far samples lie apart.",
        "figures": [],
        "notes": [],
        "tables": tables.trim(),
    }))
}

fn module(project: &Project) -> Result<std::path::PathBuf> {
    packages::ensure(&project.console, &[Need::Browser, Need::WasmCompiler])?;
    rust::ensure_wasm_target(&project.console)?;
    web::packages(project)?;
    wasm::module(project, PACKAGE)
}
