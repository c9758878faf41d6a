//! What stands in the files: their length, leftovers, names of registries.

use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use super::policy::{GENERATED, LEFTOVERS, LOCK_FILES, LONG_FILES, LONGEST_FILE, MEASURED, REGISTRIES};

/// Checks all `files` under `root`.
pub fn check(root: &Path, files: &[String]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in files {
        let bytes = std::fs::read(root.join(file)).with_context(|| format!("reading {file}"))?;
        // Pictures and the like are no source.
        if let Ok(text) = String::from_utf8(bytes) {
            findings.extend(check_file(file, &text));
        }
    }
    let gone = LONG_FILES
        .iter()
        .filter(|(long, _)| !files.iter().any(|file| file == long));
    findings.extend(gone.map(|(long, _)| format!("{long}: is listed as a long file and isn't there; remove it there")));
    Ok(findings)
}

fn check_file(file: &str, text: &str) -> Vec<Finding> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let mut findings = Vec::new();
    if LOCK_FILES.contains(&name) {
        return findings;
    }
    let is_measured = MEASURED.iter().any(|ending| name.ends_with(ending));
    let is_generated = GENERATED.iter().any(|folder| file.starts_with(folder));
    let is_listed = LONG_FILES.iter().any(|(long, _)| *long == file);
    let lines = text.lines().count();
    if is_measured && !is_generated && !is_listed && lines > LONGEST_FILE {
        findings.push(format!(
            "{file}: has {lines} lines, more than {LONGEST_FILE}; part it by its ideas"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        let place = format!("{file}:{}", number + 1);
        if let Some(word) = LEFTOVERS.iter().find(|word| is_measured && has_word(line, word)) {
            findings.push(format!(
                "{place}: `{word}` is left over; do it, or write it down as an issue"
            ));
        }
        if let Some(host) = REGISTRIES.iter().find(|host| line.contains(*host)) {
            findings.push(format!("{place}: names the registry {host}; only lock files do"));
        }
    }
    findings
}

/// Whether `word` stands in `line`, not as a part of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|it| it.is_alphanumeric() || it == '_');
    line.match_indices(word).any(|(start, _)| {
        let open = word.ends_with('(') || !is_part(line[start + word.len()..].chars().next());
        open && !is_part(line[..start].chars().next_back())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found_as_words_only() {
        let mark = LEFTOVERS[0];
        assert!(has_word(&format!("// {mark}: later"), mark));
        assert!(!has_word(&format!("{mark}S_LEFT"), mark));
        assert_eq!(check_file("core/src/lib.rs", &format!("{})", LEFTOVERS[2])).len(), 1);
        assert_eq!(check_file("notes.txt", mark), Vec::<Finding>::new());
    }

    #[test]
    fn long_files_are_found_unless_they_are_generated() {
        let long = "x\n".repeat(LONGEST_FILE + 1);
        assert_eq!(check_file("core/src/lib.rs", &long).len(), 1);
        assert!(check_file("web/src/engine/generated/schema.ts", &long).is_empty());
        assert!(check_file("core/schema/hospital.csv", &long).is_empty());
    }

    #[test]
    fn registries_may_be_named_in_lock_files() {
        let line = format!("\"resolved\": \"https://{}/x\"", REGISTRIES[0]);
        assert_eq!(check_file("docs/operations.md", &line).len(), 1);
        assert!(check_file("web/package-lock.json", &line).is_empty());
    }
}
