//! Is a step's output up to date? Decided by what its inputs contain, since a fresh checkout has no useful times.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders that are never inputs: what programs make, and what is hidden.
const SKIPPED: [&str; 4] = ["node_modules", "dist", "target", "test-results"];

/// The remembered content of a step's inputs.
pub struct Stamp {
    file: PathBuf,
    value: String,
}

impl Stamp {
    /// The stamp of `inputs` (files, or folders with all in them), remembered in `file`. `settings` are what else the
    /// output depends on.
    pub fn of(file: PathBuf, inputs: &[&Path], settings: &str) -> Result<Self> {
        let mut files = BTreeSet::new();
        for input in inputs {
            collect(input, &mut files)?;
        }
        let mut hasher = DefaultHasher::new();
        settings.hash(&mut hasher);
        for path in &files {
            path.hash(&mut hasher);
            std::fs::read(path)
                .with_context(|| format!("reading {}", path.display()))?
                .hash(&mut hasher);
        }
        Ok(Self {
            file,
            value: format!("{:016x}\n", hasher.finish()),
        })
    }

    /// Whether the inputs are as they were when [`Stamp::remember`] was called, and every output is there.
    pub fn is_fresh(&self, outputs: &[&Path]) -> bool {
        outputs.iter().all(|output| output.exists())
            && std::fs::read_to_string(&self.file).is_ok_and(|remembered| remembered == self.value)
    }

    /// The outputs were made from these inputs.
    pub fn remember(&self) -> Result<()> {
        std::fs::write(&self.file, &self.value).with_context(|| format!("writing {}", self.file.display()))
    }
}

/// Adds `path`, or every file in it. What doesn't exist adds nothing: coming into being changes the stamp.
fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.insert(path.to_owned());
    } else if path.is_dir() {
        for entry in std::fs::read_dir(path).with_context(|| format!("listing {}", path.display()))? {
            let entry = entry.with_context(|| format!("listing {}", path.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                collect(&entry.path(), files)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_until_content_settings_or_outputs_change() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        let output = folder.path().join("output");
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("a"), "1").unwrap();
        std::fs::write(&output, "made").unwrap();
        let stamp = |settings| Stamp::of(folder.path().join("stamp"), &[&source], settings).unwrap();

        assert!(!stamp("x").is_fresh(&[&output]));
        stamp("x").remember().unwrap();
        assert!(stamp("x").is_fresh(&[&output]));
        assert!(!stamp("y").is_fresh(&[&output]));
        assert!(!stamp("x").is_fresh(&[&folder.path().join("missing")]));

        std::fs::create_dir(source.join("node_modules")).unwrap();
        std::fs::write(source.join("node_modules/b"), "2").unwrap();
        assert!(stamp("x").is_fresh(&[&output]), "installed packages are no input");
        std::fs::write(source.join("a"), "2").unwrap();
        assert!(!stamp("x").is_fresh(&[&output]));
    }
}
