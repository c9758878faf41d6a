//! Node.js and the packages that npm installs into a folder.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Outcome;
use crate::console::Console;
use crate::process::Program;

/// The oldest Node.js that the app's build tools run on.
const OLDEST: (u32, u32) = (20, 19);

/// Makes sure that the packages which `package-lock.json` in `folder` names are installed, at those versions.
pub fn ensure_packages(console: &Console, folder: &Path) -> Result<Outcome> {
    ensure_node()?;
    let wanted = folder.join("package-lock.json");
    if !wanted.exists() {
        bail!("{} is missing: the checkout is incomplete", wanted.display());
    }
    // npm itself keeps this record of what it installed.
    let installed = folder.join("node_modules/.package-lock.json");
    if installed.exists() && same_packages(&read_json(&wanted)?, &read_json(&installed)?) {
        return Ok(Outcome::UpToDate);
    }
    Program::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .folder(folder)
        .advice("see that the machine reaches npm's registry (`npm ping`), then start again")
        .run(console)?;
    Ok(Outcome::Done)
}

fn ensure_node() -> Result<()> {
    let version = Program::new("node").arg("--version").answer();
    let version = version.context("Node.js is missing: install version 20.19 or later, with npm, and start again")?;
    if Program::new("npm").arg("--version").answer().is_none() {
        bail!("npm is missing: it comes with Node.js, or as a package of its own (`apt-get install npm`)");
    }
    match parse_version(&version) {
        Some(found) if found < OLDEST => bail!("Node.js {version} is too old: install version 20.19 or later"),
        _ => Ok(()),
    }
}

fn parse_version(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn read_json(file: &Path) -> Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", file.display()))
}

/// Whether all that is `wanted` is `installed` at its version, and nothing else. Packages for other machines
/// (optional ones) may be absent.
fn same_packages(wanted: &Value, installed: &Value) -> bool {
    let empty = serde_json::Map::new();
    let wanted = wanted["packages"].as_object().unwrap_or(&empty);
    let installed = installed["packages"].as_object().unwrap_or(&empty);
    let is_optional = |package: &Value| package["optional"] == true || package["devOptional"] == true;
    let all_there = wanted
        .iter()
        .filter(|(path, _)| !path.is_empty())
        .all(|(path, package)| {
            installed
                .get(path)
                .map_or(is_optional(package), |found| found["version"] == package["version"])
        });
    all_there && installed.keys().all(|path| wanted.contains_key(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(parse_version("v20.19.2"), Some((20, 19)));
        assert!(parse_version("v20.9.0").unwrap() < OLDEST);
        assert_eq!(parse_version("nightly"), None);
    }

    #[test]
    fn installed_packages_are_compared_with_the_lock_file() {
        let wanted = json!({"packages": {
            "": {"name": "app"},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/other-machine": {"version": "1.0.0", "optional": true},
        }});
        let a = |version: &str| json!({"packages": {"node_modules/a": {"version": version}}});
        assert!(same_packages(&wanted, &a("1.0.0")));
        assert!(!same_packages(&wanted, &a("1.0.1")));
        assert!(!same_packages(&wanted, &json!({"packages": {}})));
        let extra = json!({"packages": {
            "node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0"},
        }});
        assert!(!same_packages(&wanted, &extra));
    }
}
