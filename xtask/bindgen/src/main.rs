//! `holdfast-bindgen INPUT.wasm FOLDER`: writes the ES module, its TypeScript declarations and the linked module.
//!
//! A program of its own, not a part of `xtask`, so that `cargo xtask` starts in seconds on a fresh machine and this
//! larger tree of dependencies is built once, as a step with a name.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

/// The stem of every file written: `holdfast_wasm.js`, `holdfast_wasm_bg.wasm`, …
const NAME: &str = "holdfast_wasm";

fn main() -> ExitCode {
    match bind() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bind() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder] = arguments.as_slice() else {
        bail!("usage: holdfast-bindgen INPUT.wasm FOLDER");
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name(NAME).typescript(true);
    bindgen.web(true).context("choosing the ES module output")?;
    bindgen
        .generate(folder)
        .with_context(|| format!("making bindings of {input}"))
}
