//! The engine for browsers: built for WebAssembly, given its JavaScript side, made small.

mod sqlite;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::Program;
use crate::project::Project;
use crate::setup::packages::wasm_compiler;
use crate::setup::rust::WASM_TARGET;
use crate::setup::{Outcome, node};
use crate::stamp::Stamp;

/// WebAssembly's features that rustc uses by default and every browser of the last years has.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// How small the engine is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// As it is shipped. Takes a minute more.
    Small,
    /// As the compiler left it, for trying a change quickly.
    AsBuilt,
}

/// Builds the engine into the ward app's sources.
pub fn build(project: &Project, size: Size) -> Result<Outcome> {
    cargo(project, "build")?.run(&project.console)?;
    let built = project.target.join(WASM_TARGET).join("wasm/holdfast_wasm.wasm");
    let folder = project.engine();
    let module = folder.join("holdfast_wasm_bg.wasm");
    // Besides the compiled module, the versions of the two tools that work on it decide what comes out.
    let bindgen = project.root.join("xtask/bindgen/Cargo.toml");
    let binaryen = project.web().join("node_modules/binaryen/package.json");
    let stamp = Stamp::of(
        project.scratch("engine.stamp")?,
        &[&built, &bindgen, &binaryen],
        &format!("{size:?}"),
    )?;
    if stamp.is_fresh(&[
        &module,
        &folder.join("holdfast_wasm.js"),
        &folder.join("holdfast_wasm.d.ts"),
    ]) {
        return Ok(Outcome::UpToDate);
    }
    let fresh = project.scratch("engine")?;
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).with_context(|| format!("clearing {}", fresh.display()))?;
    }
    bind(project, &built, &fresh)?;
    if size == Size::Small {
        shrink(project, &fresh.join("holdfast_wasm_bg.wasm"))?;
    }
    replace(&fresh, &folder)?;
    stamp.remember()?;
    Ok(Outcome::Done)
}

/// `cargo COMMAND` for the engine as browsers get it.
pub fn cargo(project: &Project, command: &str) -> Result<Program> {
    for_browsers(project, &[command, "--package", "holdfast-wasm"])
}

/// A library of the workspace as an ES module, compiled and made small as the engine is. Rust's own users take it as a
/// library by its manifest: only here is it linked into a module. The folder it is in.
pub fn module(project: &Project, package: &str) -> Result<PathBuf> {
    let library = ["rustc", "--package", package, "--lib", "--crate-type", "cdylib"];
    for_browsers(project, &library)?.run(&project.console)?;
    let stem = package.replace('-', "_");
    let built = project
        .target
        .join(WASM_TARGET)
        .join("wasm")
        .join(format!("{stem}.wasm"));
    let folder = project.scratch(package)?;
    bind(project, &built, &folder)?;
    shrink(project, &folder.join(format!("{stem}_bg.wasm")))?;
    Ok(folder)
}

/// A command of cargo, for WebAssembly.
fn for_browsers(project: &Project, words: &[&str]) -> Result<Program> {
    let Some((compiler, archiver)) = wasm_compiler() else {
        bail!("clang-19 and llvm-ar-19 are missing: install Debian's packages clang-19 and llvm-19");
    };
    Ok(Program::cargo()
        .args(words)
        .args(["--target", WASM_TARGET, "--profile", "wasm"])
        .env("CARGO_ENCODED_RUSTFLAGS", short_paths())
        .env("CC_wasm32_unknown_unknown", compiler)
        .env("AR_wasm32_unknown_unknown", archiver)
        .env("CFLAGS_wasm32_unknown_unknown", sqlite::flags())
        .folder(&project.root))
}

/// The flags for rustc by which panics name a file of a package as `package/src/file.rs`: shorter, and nothing of the machine
/// that builds is in what is shipped.
fn short_paths() -> OsString {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    // A folder for each registry.
    let folders = cargo.and_then(|folder| std::fs::read_dir(folder.join("registry/src")).ok());
    let mut registries: Vec<PathBuf> = folders
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    registries.sort_unstable();
    let mut flags = OsString::new();
    for registry in registries {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(registry.join(""));
        flags.push("=");
    }
    flags
}

/// Makes the ES module and its declarations, named as the compiled module.
pub fn bind(project: &Project, built: &Path, folder: &Path) -> Result<()> {
    Program::cargo()
        .args(["run", "--package", "holdfast-bindgen", "--"])
        .args([built, folder])
        .folder(&project.root)
        .advice("see that xtask/bindgen/Cargo.toml and Cargo.toml name the same version of wasm-bindgen")
        .run(&project.console)?;
    let name = built.file_stem().context("BUG: a module has a name")?;
    let script = folder.join(name).with_extension("js");
    let text = std::fs::read_to_string(&script).with_context(|| format!("reading {}", script.display()))?;
    // The linker leaves to the page what it does not find: C functions that a flag of `sqlite` took away, for one.
    if text.contains("from \"env\"") {
        bail!(
            "{} wants functions that nothing defines: see what its `env` imports are",
            built.display()
        );
    }
    Ok(())
}

/// Makes a linked module small, in place.
pub fn shrink(project: &Project, module: &Path) -> Result<()> {
    node::ensure_packages(&project.console, &project.web())?;
    let tool = project.web().join("node_modules/.bin/wasm-opt");
    if !tool.exists() {
        bail!("wasm-opt is missing: `binaryen` must be among the devDependencies of web/package.json");
    }
    Program::new(tool)
        .args(FEATURES)
        .arg("-Oz")
        .arg(module)
        .arg("-o")
        .arg(module)
        .run(&project.console)?;
    Ok(())
}

/// Puts the files of `fresh` into `folder`, so that what watches `folder` never sees half of them for long.
fn replace(fresh: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    let parent = folder.parent().context("BUG: the engine's folder has a parent")?;
    std::fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
    if std::fs::rename(fresh, folder).is_ok() {
        return Ok(());
    }
    // The output folder may lie on another disk.
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    copy_folder(fresh, folder)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from).with_context(|| format!("listing {}", from.display()))? {
        let entry = entry.with_context(|| format!("listing {}", from.display()))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).with_context(|| format!("creating {}", target.display()))?;
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).with_context(|| format!("writing {}", target.display()))?;
        }
    }
    Ok(())
}
