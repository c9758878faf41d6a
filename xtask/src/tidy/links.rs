//! Links in documents lead somewhere.

use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

/// Checks the links to files in every document among `files`.
pub fn check(root: &Path, files: &[String]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in files
        .iter()
        .filter(|file| Path::new(file).extension().is_some_and(|ending| ending == "md"))
    {
        let path = root.join(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {file}"))?;
        let folder = path.parent().unwrap_or(root);
        let broken = file_links(&text).filter(|link| !folder.join(link).exists());
        findings.extend(broken.map(|link| format!("{file}: the link to {link} leads nowhere")));
    }
    Ok(findings)
}

/// The targets of `[text](target)` that are files of the project.
fn file_links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?.split('#').next()?;
        let is_file = !target.is_empty() && !target.contains(':') && !target.starts_with('/');
        is_file.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_files_are_followed() {
        let text = "[a](docs/a.md#part) ![b](b.png) [c](https://example.org) [d](#here) [e](mailto:x@example.org)";
        assert_eq!(file_links(text).collect::<Vec<_>>(), ["docs/a.md", "b.png"]);
    }
}
