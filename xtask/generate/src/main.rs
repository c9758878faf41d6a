//! `holdfast-generate [--check]`: writes the files that follow from core, or only tells which of them differ.
//!
//! A program of its own, not a part of `xtask`, so that the build tool works while core doesn't compile.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use holdfast_core::{
    command,
    schema::{self, Schema},
};

/// Where the ward app finds them.
const FOLDER: &str = "web/src/engine/generated";

fn main() -> ExitCode {
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<()> {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => bail!("usage: holdfast-generate [--check], not {other}"),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .context("BUG: this crate lies in xtask/")?;
    let folder = root.join(FOLDER);
    let files = [
        ("commands.ts", command::typescript()),
        ("schema.ts", schema::typescript(Schema::hospital())),
    ];
    let mut differing = strays(&folder, &files)?;
    for (name, wanted) in &files {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|found| found == *wanted) {
            continue;
        }
        if check {
            differing.push(format!("{FOLDER}/{name} differs from what core makes of it"));
        } else {
            std::fs::create_dir_all(&folder).with_context(|| format!("creating {FOLDER}"))?;
            std::fs::write(&path, wanted).with_context(|| format!("writing {FOLDER}/{name}"))?;
            println!("wrote {FOLDER}/{name}");
        }
    }
    if !differing.is_empty() {
        bail!("{}", differing.join("\n"));
    }
    Ok(())
}

/// Files in the folder that nothing generates: nobody would notice when they become untrue.
fn strays(folder: &Path, files: &[(&str, String)]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    if folder.exists() {
        for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
            let name = entry
                .with_context(|| format!("listing {}", folder.display()))?
                .file_name();
            if !files.iter().any(|(file, _)| *file == name) {
                found.push(format!(
                    "{FOLDER}/{} is not made by the generator",
                    name.to_string_lossy()
                ));
            }
        }
    }
    Ok(found)
}
