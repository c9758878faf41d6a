//! What rustup brings: the WebAssembly target, the formatter and the linter.

use std::path::Path;

use anyhow::{Result, bail};

use super::{Outcome, find_program};
use crate::console::Console;
use crate::process::Program;

/// The engine's target in the browser.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Makes sure that the standard library for WebAssembly is there.
pub fn ensure_wasm_target(console: &Console) -> Result<Outcome> {
    let arguments = ["--print", "target-libdir", "--target", WASM_TARGET];
    let folder = Program::new("rustc").args(arguments).answer();
    let there = folder
        .is_some_and(|folder| std::fs::read_dir(Path::new(&folder)).is_ok_and(|mut files| files.next().is_some()));
    if there {
        return Ok(Outcome::UpToDate);
    }
    rustup(console, &["target", "add", WASM_TARGET])
}

/// Makes sure of `cargo fmt` and `cargo clippy`, which rustup's minimal profile leaves out.
pub fn ensure_lint_tools(console: &Console) -> Result<Outcome> {
    let works = |tool: &str| Program::cargo().args([tool, "--version"]).answer().is_some();
    if works("fmt") && works("clippy") {
        return Ok(Outcome::UpToDate);
    }
    rustup(console, &["component", "add", "rustfmt", "clippy"])
}

fn rustup(console: &Console, arguments: &[&str]) -> Result<Outcome> {
    if find_program(&["rustup"], &[]).is_none() {
        bail!(
            "`rustup {}` is needed, but Rust was not installed by rustup here",
            arguments.join(" ")
        );
    }
    let advice = "see that the machine reaches Rust's download server, then start again";
    Program::new("rustup").args(arguments).advice(advice).run(console)?;
    Ok(Outcome::Done)
}
