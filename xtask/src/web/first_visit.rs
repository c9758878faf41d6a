//! What a browser downloads on its first visit to the ward app: all its files, as they are sent. A limit, so that nobody makes it
//! larger without noticing.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::project::Project;

/// The most that a first visit may download, in bytes.
const LIMIT: u64 = 800_000;

/// Fails if the built app is larger than it may be.
pub fn check(project: &Project) -> Result<()> {
    let bytes = bytes_sent(&project.app())?;
    project.console.say(&format!(
        "a first visit downloads {bytes} bytes, at most {LIMIT} are allowed"
    ));
    if bytes > LIMIT {
        bail!("the app is too large: find what fills it, do not raise the limit");
    }
    Ok(())
}

/// The bytes of all files of a folder, of each packed one the packed form (`NAME.br`), without what only developers load.
fn bytes_sent(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry.with_context(|| format!("listing {}", folder.display()))?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if path.is_dir() {
            bytes += bytes_sent(&path)?;
        } else if !["br", "map"].contains(&ending) {
            let packed = path.with_extension(format!("{ending}.br"));
            // The engine is nine tenths of it: without its packed form the figure is none.
            ensure!(ending != "wasm" || packed.exists(), "{} is not packed", path.display());
            let sent = if packed.exists() { packed } else { path };
            let size = sent.metadata().with_context(|| format!("reading {}", sent.display()))?;
            bytes += size.len();
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_counts_as_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: usize| std::fs::write(folder.path().join(name), vec![0; bytes]).unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        write("icon.png", 1);
        write("assets/page.js", 2_000);
        write("assets/page.js.br", 20);
        write("assets/page.js.map", 50_000);
        write("assets/engine.wasm", 3_000);
        assert!(bytes_sent(folder.path()).is_err(), "the engine is not packed");
        write("assets/engine.wasm.br", 300);
        assert_eq!(bytes_sent(folder.path()).unwrap(), 321);
    }
}
