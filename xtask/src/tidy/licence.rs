//! Every dependency may be shipped: its licence is on the list, or the package is, with a reason.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;
use super::policy::{LICENCE_EXCEPTIONS, LICENCES};
use crate::process::Program;
use crate::project::Project;

/// Checks the packages of `Cargo.lock` and of the app's `package-lock.json`.
pub fn check(project: &Project) -> Result<Vec<Finding>> {
    let metadata = Program::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .folder(&project.root)
        .answer()
        .context("`cargo metadata --locked` failed: is Cargo.lock in step with every Cargo.toml, and committed?")?;
    let metadata: Value = serde_json::from_str(&metadata).context("reading `cargo metadata`")?;
    let crates = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let mut findings: Vec<Finding> = crates
        .iter()
        .filter_map(|package| finding(package["name"].as_str()?, package["license"].as_str()))
        .collect();
    let lock = project.web().join("package-lock.json");
    if lock.exists() {
        let text = std::fs::read_to_string(&lock).with_context(|| format!("reading {}", lock.display()))?;
        let lock: Value = serde_json::from_str(&text).context("web/package-lock.json is not JSON")?;
        let packages = lock["packages"].as_object().into_iter().flatten();
        findings.extend(packages.filter_map(|(path, package)| {
            let name = path
                .rsplit_once("node_modules/")
                .map_or(path.as_str(), |(_, name)| name);
            finding(name, package["license"].as_str())
        }));
    }
    Ok(findings)
}

/// What is wrong with `package` under `licence`, if anything.
fn finding(package: &str, licence: Option<&str>) -> Option<Finding> {
    let Some(licence) = licence else {
        return Some(format!("{package}: names no licence; replace it"));
    };
    // `lightningcss-linux-x64-gnu` is a part of `lightningcss`.
    let is_exception = |(name, allowed, _): &(&str, &str, &str)| {
        *allowed == licence
            && package
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if is_allowed(licence) || LICENCE_EXCEPTIONS.iter().any(is_exception) {
        return None;
    }
    Some(format!(
        "{package}: its licence is \"{licence}\"; replace it, or add to xtask/src/tidy/policy.rs why it may stay"
    ))
}

/// Whether an SPDX expression can be fulfilled with allowed licences alone.
fn is_allowed(expression: &str) -> bool {
    // Old packages write `MIT/Apache-2.0` and mean "or".
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) == Some(true) && rest.is_empty()
}

/// `both ( OR both )*`. `None` if it is no expression.
fn either(words: &mut &[&str]) -> Option<bool> {
    let mut allowed = both(words)?;
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        allowed |= both(words)?;
    }
    Some(allowed)
}

/// `one ( AND one )*`.
fn both(words: &mut &[&str]) -> Option<bool> {
    let mut allowed = one(words)?;
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        allowed &= one(words)?;
    }
    Some(allowed)
}

/// A licence, perhaps `WITH` an exception (which only adds freedoms), or an expression in parentheses.
fn one(words: &mut &[&str]) -> Option<bool> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    if *first == "(" {
        let allowed = either(words)?;
        let (")", rest) = words.split_first().map(|(word, rest)| (*word, rest))? else {
            return None;
        };
        *words = rest;
        return Some(allowed);
    }
    if let ["WITH", _exception, rest @ ..] = *words {
        *words = rest;
    }
    Some(LICENCES.contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_allowed_if_they_can_be_fulfilled() {
        for allowed in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT",
            "MIT)",
            "",
            "SEE LICENSE IN file",
            "OR MIT",
        ] {
            assert!(!is_allowed(refused), "{refused}");
        }
    }

    #[test]
    fn exceptions_hold_for_their_package_and_licence_only() {
        assert_eq!(finding("lightningcss", Some("MPL-2.0")), None);
        assert_eq!(finding("lightningcss-linux-x64-gnu", Some("MPL-2.0")), None);
        assert!(finding("lightningcss", Some("GPL-3.0")).is_some());
        assert!(finding("other", Some("MPL-2.0")).is_some());
        assert!(finding("other", None).is_some());
    }
}
