//! The system's packages: compilers, PostgreSQL, a browser. Installed by apt, and only what is really missing.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::{Outcome, find_program};
use crate::console::Console;
use crate::postgres;
use crate::process::Program;

/// Clang that can compile SQLite's C code for WebAssembly: it must know C23.
const CLANGS: [&str; 4] = ["clang-19", "clang-20", "clang-21", "clang-22"];
/// The archivers that go with them.
const ARCHIVERS: [&str; 4] = ["llvm-ar-19", "llvm-ar-20", "llvm-ar-21", "llvm-ar-22"];
/// Where Debian puts what has no version in `PATH`.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Something that packages of the system bring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A C compiler for WebAssembly.
    WasmCompiler,
    /// A C++ compiler for this machine, which libFuzzer is built with.
    CppCompiler,
    /// PostgreSQL's server programs.
    Postgres,
    /// `ip` and `tc`, which make networks.
    Networks,
    /// A browser that scripts can drive.
    Browser,
}

impl Need {
    fn is_there(self) -> bool {
        match self {
            Self::WasmCompiler => wasm_compiler().is_some(),
            Self::CppCompiler => find_program(&["c++"], &[]).is_some(),
            Self::Postgres => postgres::programs().is_some(),
            // Nobody is asked for rights because of it: without it, what needs it is left out.
            Self::Networks => !nix::unistd::geteuid().is_root() || ["ip", "tc"].iter().all(|name| on_path(name)),
            Self::Browser => browser().is_some(),
        }
    }

    /// Debian's packages for it.
    fn debian(self) -> &'static [&'static str] {
        match self {
            Self::WasmCompiler => &["clang-19", "llvm-19"],
            Self::CppCompiler => &["g++"],
            Self::Postgres => &["postgresql"],
            Self::Networks => &["iproute2"],
            Self::Browser => &["chromium"],
        }
    }

    /// What to look for on a system that isn't Debian.
    fn elsewhere(self) -> &'static str {
        match self {
            Self::WasmCompiler => "clang and llvm-ar, version 19 or later, named clang-19 and llvm-ar-19",
            Self::CppCompiler => "a C++ compiler, named c++",
            Self::Postgres => "PostgreSQL's server programs (initdb, postgres), version 15 or later, in PATH",
            Self::Networks => "iproute2's `ip` and `tc`",
            Self::Browser => "Chromium, as `chromium` in PATH or named by HOLDFAST_CHROMIUM",
        }
    }
}

/// The C compiler and archiver for WebAssembly.
pub fn wasm_compiler() -> Option<(PathBuf, PathBuf)> {
    Some((find_program(&CLANGS, &[])?, find_program(&ARCHIVERS, &[])?))
}

/// The browser for the journeys.
pub fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("HOLDFAST_CHROMIUM")
        .map(PathBuf::from)
        .filter(|path| path.exists());
    named.or_else(|| find_program(&BROWSERS, &["/usr/bin".into()]))
}

fn on_path(name: &str) -> bool {
    find_program(&[name], &[]).is_some()
}

/// Makes sure of all `needs`.
pub fn ensure(console: &Console, needs: &[Need]) -> Result<Outcome> {
    let missing: Vec<Need> = needs.iter().copied().filter(|need| !need.is_there()).collect();
    if missing.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    if find_program(&["apt-get"], &[]).is_none() {
        let list: Vec<&str> = missing.iter().map(|need| need.elsewhere()).collect();
        bail!(
            "this machine has no apt; please install by its own means:\n      - {}",
            list.join("\n      - ")
        );
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.debian()).copied().collect();
    let by_hand = format!(
        "run `apt-get update && apt-get install {}` as root and start again",
        packages.join(" ")
    );
    apt(&["update"])?
        .advice("see that the machine reaches its Debian mirror, then start again")
        .run(console)?;
    let install = ["install", "--yes", "--no-install-recommends"];
    apt(&install)?.args(&packages).advice(&by_hand).run(console)?;
    if let Some(need) = missing.into_iter().find(|need| !need.is_there()) {
        bail!(
            "apt installed {:?}, and yet this isn't found: {}",
            need.debian(),
            need.elsewhere()
        );
    }
    Ok(Outcome::Done)
}

fn apt(arguments: &[&str]) -> Result<Program> {
    let words = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"];
    let program = if nix::unistd::geteuid().is_root() {
        Program::new("env")
    } else if find_program(&["sudo"], &[]).is_some() {
        Program::new("sudo").arg("env").interactive()
    } else {
        bail!("packages are missing and only root may install them; start again as root, or install sudo");
    };
    Ok(program.args(words).args(arguments))
}
