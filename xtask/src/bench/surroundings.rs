//! On what and with what was measured.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use crate::postgres;
use crate::process::Program;
use crate::project::Project;
use crate::setup::packages;

/// The date, the commit, the machine, the versions, and how busy the machine was before.
pub fn of(project: &Project, browser: bool) -> Result<Json> {
    let date = Program::new("date").arg("--iso-8601").answer();
    Ok(json!({
        "date": date.context("`date` says nothing")?,
        "commit": commit(project).unwrap_or_else(|| "not from a repository".into()),
        "machine": machine(),
        "versions": versions(project, browser)?,
        "load": std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default(),
    }))
}

/// Which commit, and whether anything was changed since, but for what the benchmark before this one wrote.
fn commit(project: &Project) -> Option<String> {
    let git = |words: &[&str]| Program::new("git").args(words).folder(&project.root).answer();
    let commit = git(&["describe", "--always", "--exclude=*"])?;
    let is_clean = git(&["status", "--porcelain", "--", ".", ":!docs/benchmarks.*"]).is_none_or(|all| all.is_empty());
    Some(if is_clean { commit } else { format!("{commit}-dirty") })
}

fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    let memory = memory.map_or_else(String::new, |kb: f64| format!(", {:.0} GB of memory", kb / 1e6));
    format!("{}, {processors} processors{memory}", processor())
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |model| model.trim_start_matches([' ', '\t', ':']).to_owned(),
    )
}

fn versions(project: &Project, browser: bool) -> Result<String> {
    let rust = Program::new("rustc").arg("--version").folder(&project.root).answer();
    let mut versions = vec![short(&rust.context("`rustc --version` says nothing")?, 2)];
    let server =
        postgres::programs().and_then(|folder| Program::new(folder.join("postgres")).arg("--version").answer());
    versions.extend(server.map(|text| format!("PostgreSQL {}", text.split(' ').nth(2).unwrap_or_default())));
    versions.extend(
        Program::new("node")
            .arg("--version")
            .answer()
            .map(|text| format!("Node.js {text}")),
    );
    let chromium = packages::browser().filter(|_| browser);
    versions.extend(
        chromium
            .and_then(|program| Program::new(program).arg("--version").answer())
            .map(|t| short(&t, 2)),
    );
    for name in ["automerge", "rusqlite", "sqlx"] {
        versions.push(format!("{name} {}", locked(&project.root, name)?));
    }
    Ok(versions.join(", "))
}

/// The first words.
fn short(text: &str, words: usize) -> String {
    text.split_whitespace().take(words).collect::<Vec<_>>().join(" ")
}

/// The version of a crate that is built with.
fn locked(root: &Path, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(root.join("Cargo.lock")).context("reading Cargo.lock")?;
    let (_, after) = text
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .with_context(|| format!("Cargo.lock names no {name}"))?;
    let (version, _) = after.split_once('"').context("Cargo.lock ends within a version")?;
    Ok(version.to_owned())
}
