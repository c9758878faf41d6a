//! The record as people read it.

use std::fmt::Write;

use serde_json::Value as Json;

use super::figure::{Figure, times};

const HEAD: &str = "\
# Benchmarks

Made by `cargo xtask bench`; `cargo xtask bench NAME` measures one and replaces its part (`--list` tells their names). The
same figures with every run are in [benchmarks.json](benchmarks.json).

Every figure stands beside a peer or a limit that was taken in the same run. It is the median of its runs, with the least
and the most behind it. The ratio is Holdfast's figure by the other: for times and bytes less is better, for anything a
second more. Devices, servers, databases and browsers all share the one machine, where nothing else should run.
";

/// The whole document.
pub fn whole(parts: &[Json]) -> String {
    let mut text = HEAD.to_owned();
    for part in parts {
        text.push('\n');
        text.push_str(&self::part(part));
    }
    text
}

/// One benchmark.
pub fn part(part: &Json) -> String {
    let mut text = format!("## {}: {}\n\n", word(part, "name"), word(part, "about"));
    let around = &part["surroundings"];
    push(&mut text, &sentence(word(part, "setting")));
    let runs = match part["runs"].as_u64() {
        None => String::new(),
        Some(1) => ", one run".to_owned(),
        Some(runs) => format!(", {runs} runs"),
    };
    let when = format!(
        "{}{runs}, commit {}, load before {}. {}; {}.\n",
        word(around, "date"),
        word(around, "commit"),
        word(around, "load"),
        word(around, "machine"),
        word(around, "versions")
    );
    push(&mut text, &when);
    let figures = part["figures"].as_array().map_or(&[][..], Vec::as_slice);
    if !figures.is_empty() {
        push(&mut text, "| | Holdfast | beside it | | ratio | goal | |");
        push(&mut text, "| --- | ---: | ---: | --- | ---: | --- | --- |");
        for figure in figures {
            push(&mut text, &row(figure));
        }
    }
    if let Some(tables) = part["tables"].as_str() {
        push(&mut text, tables);
    }
    let notes = part["notes"].as_array().map_or(&[][..], Vec::as_slice);
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        push(&mut text, &format!("- {}", sentence(note.as_str().unwrap_or_default())));
    }
    text
}

fn row(json: &Json) -> String {
    let figure = Figure(json);
    let unit = word(json, "unit");
    let what = match json["note"].as_str() {
        None => word(json, "what").to_owned(),
        Some(note) => format!("{} ({note})", word(json, "what")),
    };
    let ours = figure
        .ours()
        .map_or_else(|| "–".to_owned(), |spread| spread.words(unit));
    let (name, value) = figure
        .beside()
        .map_or(("", String::new()), |(name, spread)| (name, spread.words(unit)));
    let ratio = figure.ratio().map_or_else(String::new, times);
    let (goal, met) = match figure.goal() {
        None => (String::new(), ""),
        Some((goal, true)) => (goal, "met"),
        Some((goal, false)) => (goal, "**not met**"),
    };
    format!("| {what} | {ours} | {value} | {name} | {ratio} | {goal} | {met} |")
}

fn word<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

/// With a full stop.
fn sentence(text: &str) -> String {
    let end = if text.ends_with('.') || text.is_empty() {
        ""
    } else {
        "."
    };
    format!("{text}{end}")
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("BUG: a string takes every text");
}

#[cfg(test)]
mod tests {
    use super::super::benchmark::example;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_tells_figure_peer_ratio_and_goal() {
        let figures = json!([
            { "what": "new rows", "unit": "s", "runs": [3.0], "goal": { "times": 2.0 }, "note": "on a disk",
              "beside": { "name": "bulk", "runs": [1.0] } },
            { "what": "bytes", "unit": "B", "runs": [100], "goal": null, "beside": null, "note": null },
        ]);
        let text = part(&example("push", &figures));
        assert!(text.starts_with("## push: an example\n"), "{text}");
        assert!(
            text.contains("| new rows (on a disk) | 3 s | 1 s | bulk | 3× | at most 2× | **not met** |"),
            "{text}"
        );
        assert!(text.contains("| bytes | 100 B |  |  |  |  |  |"), "{text}");
        assert!(
            text.contains("2026-01-31, 3 runs, commit abc1234, load before 0.10. a processor; rustc 1."),
            "{text}"
        );
    }
}
