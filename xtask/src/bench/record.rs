//! All that was measured, as it is kept: `docs/benchmarks.json`, and `docs/benchmarks.md` made from it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use super::benchmark::ALL;
use super::markdown;
use crate::project::Project;

/// Parts, one for each benchmark that was ever run, in the order of [`ALL`].
pub struct Record {
    parts: Vec<Json>,
}

impl Record {
    /// What is kept so far.
    pub fn read(project: &Project) -> Result<Self> {
        let file = file(project, "json");
        if !file.exists() {
            return Ok(Self { parts: Vec::new() });
        }
        let text = std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        let json: Json = serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", file.display()))?;
        let parts = json["benchmarks"].as_array().cloned();
        Ok(Self {
            parts: parts.with_context(|| format!("{} has no `benchmarks`", file.display()))?,
        })
    }

    /// Puts a benchmark's part in the place of its earlier one. Parts of benchmarks that are gone go too.
    pub fn replace(&mut self, part: Json) {
        self.parts.retain(|other| other["name"] != part["name"]);
        self.parts.push(part);
        self.parts.retain(|part| place(part).is_some());
        self.parts.sort_by_key(place);
    }

    /// Writes both files.
    pub fn write(&self, project: &Project) -> Result<()> {
        let json = json!({ "benchmarks": self.parts });
        for (ending, text) in [("json", format!("{json:#}\n")), ("md", markdown::whole(&self.parts))] {
            let file = file(project, ending);
            std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        }
        Ok(())
    }
}

fn file(project: &Project, ending: &str) -> PathBuf {
    project.root.join("docs").join(format!("benchmarks.{ending}"))
}

fn place(part: &Json) -> Option<usize> {
    ALL.iter().position(|benchmark| part["name"] == benchmark.name)
}

#[cfg(test)]
mod tests {
    use super::super::benchmark::example;
    use super::*;

    #[test]
    fn a_new_part_takes_the_place_of_the_old_one_alone() {
        let mut record = Record { parts: Vec::new() };
        for name in ["pull", "push", "a benchmark that is gone"] {
            record.parts.push(example(name, &json!([])));
        }
        let mut newer = example("pull", &json!([]));
        newer["setting"] = "newer".into();
        record.replace(newer);
        let kept: Vec<(&str, &str)> = record
            .parts
            .iter()
            .map(|part| (part["name"].as_str().unwrap(), part["setting"].as_str().unwrap()))
            .collect();
        assert_eq!(kept, [("push", "On nothing."), ("pull", "newer")]);
    }
}
