//! `holdfast-bindgen NAME.wasm FOLDER`: writes the ES module `NAME.js`, its TypeScript declarations and the linked module
//! `NAME_bg.wasm`.
//!
//! A program of its own, not a part of `xtask`, so that `cargo xtask` starts in seconds on a fresh machine and this
//! larger tree of dependencies is built once, as a step with a name.

use std::{ffi::OsStr, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

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
        bail!("usage: holdfast-bindgen NAME.wasm FOLDER");
    };
    let name = Path::new(input).file_stem().and_then(OsStr::to_str);
    let name = name.with_context(|| format!("{input} is no file's name"))?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name(name).typescript(true);
    bindgen.web(true).context("choosing the ES module output")?;
    bindgen
        .generate(folder)
        .with_context(|| format!("making bindings of {input}"))
}
