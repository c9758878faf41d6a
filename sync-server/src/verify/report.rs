//! What was found: lines for people, JSON for programs.

use std::{collections::BTreeMap, fmt::Write as _};

use holdfast_core::ids::Seq;
use serde::Serialize;

use super::relation::{Meaning, Relation};

/// How the log and the store differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The log makes it, the store does not have it.
    Missing,
    /// The store has it, the log does not make it.
    Unknown,
    /// Both have it, and not alike.
    Different,
    /// The log itself is not sound.
    Log,
    /// The SQLite file is not sound, so that nothing in it counts.
    File,
}

/// A difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// One of the 33 tables, or one of the engine's: `file`, `log`, `documents`, `changes`, `claims`, `conflicts`, `actors`, `checksums`.
    pub table: String,
    /// The row by its key; an entry of the log by its seq.
    pub row: String,
    /// The column, if it is about one.
    pub column: Option<String>,
    /// How they differ.
    pub kind: Kind,
    /// What the log says; of an entry, what is wrong with it.
    pub log: Option<String>,
    /// What the store says.
    pub found: Option<String>,
}

/// All that was found.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Report {
    /// Entries of the log, each with its signature.
    pub entries: u64,
    /// Rows of the 33 tables.
    pub rows: u64,
    /// Rows of the engine's own tables.
    pub engine_rows: u64,
    /// How long it took.
    pub seconds: f64,
    /// How many differences there are, by table.
    pub counts: BTreeMap<String, u64>,
    /// On a ward's hub, how many transactions are on their way to the hospital; tables and claims were compared if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relayed: Option<u64>,
    /// The first of each table.
    pub differences: Vec<Difference>,
    #[serde(skip)]
    limit: usize,
}

/// Longer values are cut in lines for people.
const MAX_SHOWN: usize = 120;

impl Report {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// True if the store is what the log says.
    pub fn passed(&self) -> bool {
        self.counts.is_empty()
    }

    pub(super) fn add(&mut self, difference: Difference) {
        let count = self.counts.entry(difference.table.clone()).or_default();
        *count += 1;
        if *count <= self.limit as u64 {
            self.differences.push(difference);
        }
    }

    /// Adds what is wrong with the store's file.
    pub(super) fn file(&mut self, problems: impl IntoIterator<Item = String>) {
        for problem in problems {
            self.add(Difference {
                table: "file".to_owned(),
                row: String::new(),
                column: None,
                kind: Kind::File,
                log: None,
                found: Some(problem),
            });
        }
    }

    /// Adds what is wrong with entries of the log.
    pub(super) fn log(&mut self, problems: impl IntoIterator<Item = (Seq, String)>) {
        for (seq, problem) in problems {
            self.add(Difference {
                table: "log".to_owned(),
                row: seq.to_string(),
                column: None,
                kind: Kind::Log,
                log: Some(problem),
                found: None,
            });
        }
    }

    pub(super) fn compared(&mut self, relation: &Relation, rows: u64) {
        match relation.meaning {
            Meaning::Rows(_) => self.rows += rows,
            _ => self.engine_rows += rows,
        }
    }

    /// For programs.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::json!(self);
        json["passed"] = self.passed().into();
        json.to_string()
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for difference in &self.differences {
            let _ = writeln!(out, "{difference}");
        }
        for (table, count) in &self.counts {
            let more = count.saturating_sub(self.limit as u64);
            if more > 0 {
                let _ = writeln!(out, "… and {more} more in {table}");
            }
        }
        let (entries, rows, engine) = (self.entries, self.rows, self.engine_rows);
        let seconds = self.seconds;
        let rate = (entries + rows + engine) * 1000 / ((seconds * 1000.0) as u64).max(1);
        let _ = writeln!(
            out,
            "{entries} log entries with their signatures, {rows} rows of 33 tables and {engine} of the engine's, checked in \
             {seconds:.1} s ({rate}/s)."
        );
        if let Some(relayed @ 1..) = self.relayed {
            let _ = writeln!(
                out,
                "A ward's hub: {relayed} transactions are on their way to the hospital, so tables and claims were not compared."
            );
        }
        let differences: u64 = self.counts.values().sum();
        let _ = match differences {
            0 => writeln!(out, "The store is what its log says."),
            1 => writeln!(out, "1 difference. {ADVICE}"),
            many => writeln!(out, "{many} differences. {ADVICE}"),
        };
        out
    }
}

const ADVICE: &str = "See \"Verify\" in docs/operations.md for what each means and what to do.";

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let column = self.column.as_ref().map(|c| format!(", {c}")).unwrap_or_default();
        let place = format!("{} {}{column}", self.table, self.row);
        match self.kind {
            Kind::Missing => write!(f, "missing    {place}: the log has it"),
            Kind::Unknown => write!(f, "unknown    {place}: the log does not have it"),
            Kind::File => write!(f, "file       damaged: {}", shown(self.found.as_ref())),
            Kind::Log => write!(f, "log        entry {}: {}", self.row, shown(self.log.as_ref())),
            Kind::Different => write!(
                f,
                "different  {place}: {}, and the log says {}",
                shown(self.found.as_ref()),
                shown(self.log.as_ref())
            ),
        }
    }
}

fn shown(value: Option<&String>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    match value.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.clone(),
    }
}
