//! What a benchmark found out, as JSON: figures with all their runs, each beside a peer or a limit. `cargo xtask bench` works
//! out medians, spreads and ratios, and writes the table.

use std::time::Duration;

use serde_json::{Value as Json, json};

/// Figures of one benchmark.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was measured on what, in a sentence.
    pub setting: String,
    figures: Vec<Figure>,
    notes: Vec<String>,
}

/// A figure and what it stands beside, one value for each run.
#[derive(Clone, Debug)]
struct Figure {
    what: String,
    unit: &'static str,
    ours: Vec<f64>,
    beside: Option<(String, Vec<f64>)>,
    goal: Option<Goal>,
    note: Option<String>,
}

/// What a figure is to come to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Goal {
    /// At most so many times what it stands beside.
    Times(f64),
    /// At most this, in the figure's unit.
    AtMost(f64),
    /// At least this, in the figure's unit.
    AtLeast(f64),
}

/// A value of one run.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What is measured: the row's name.
    pub what: String,
    /// Seconds, milliseconds, bytes, rows a second, …
    pub unit: &'static str,
    /// Holdfast's value.
    pub ours: f64,
    /// What it stands beside, and that one's value in the same run.
    pub beside: Option<(String, f64)>,
    /// What it is to come to.
    pub goal: Option<Goal>,
}

impl Sample {
    /// A value that stands beside nothing yet.
    pub fn new(what: impl Into<String>, unit: &'static str, ours: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            ours,
            beside: None,
            goal: None,
        }
    }

    /// Seconds.
    pub fn seconds(what: impl Into<String>, took: Duration) -> Self {
        Self::new(what, "s", took.as_secs_f64())
    }

    /// Puts a peer or a limit beside it, in the same unit.
    #[must_use]
    pub fn beside(mut self, name: impl Into<String>, value: f64) -> Self {
        self.beside = Some((name.into(), value));
        self
    }

    /// Sets what it is to come to.
    #[must_use]
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }
}

impl Report {
    /// A report without figures.
    pub fn new(setting: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            ..Self::default()
        }
    }

    /// Adds a run's value: to the figure of this name, or as a new one. Says it on standard error, so that who waits sees how
    /// it goes.
    pub fn add(&mut self, sample: Sample) {
        eprintln!("  {}", in_words(&sample));
        let known = self.figures.iter().position(|figure| figure.what == sample.what);
        let place = known.unwrap_or(self.figures.len());
        if known.is_none() {
            self.figures.push(Figure {
                what: sample.what,
                unit: sample.unit,
                ours: Vec::new(),
                beside: None,
                goal: sample.goal,
                note: None,
            });
        }
        let figure = &mut self.figures[place];
        figure.ours.push(sample.ours);
        if let Some((name, value)) = sample.beside {
            let beside = figure.beside.get_or_insert_with(|| (name, Vec::new()));
            beside.1.push(value);
        }
    }

    /// Says something beside the figure of this name, once.
    pub fn explain(&mut self, what: &str, note: impl Into<String>) {
        if let Some(figure) = self.figures.iter_mut().find(|figure| figure.what == what) {
            figure.note = Some(note.into());
        }
    }

    /// Says something below the table, once.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// As `cargo xtask bench` reads it.
    pub fn to_json(&self) -> Json {
        json!({
            "setting": self.setting,
            "figures": self.figures.iter().map(Figure::to_json).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

impl Figure {
    fn to_json(&self) -> Json {
        let beside = self
            .beside
            .as_ref()
            .map(|(name, runs)| json!({ "name": name, "runs": runs }));
        json!({
            "what": self.what,
            "unit": self.unit,
            "runs": self.ours,
            "beside": beside,
            "goal": self.goal.map(Goal::to_json),
            "note": self.note,
        })
    }
}

impl Goal {
    fn to_json(self) -> Json {
        match self {
            Self::Times(limit) => json!({ "times": limit }),
            Self::AtMost(limit) => json!({ "atMost": limit }),
            Self::AtLeast(limit) => json!({ "atLeast": limit }),
        }
    }
}

fn in_words(sample: &Sample) -> String {
    let Sample { what, unit, ours, .. } = sample;
    match &sample.beside {
        None => format!("{what}: {ours:.4} {unit}"),
        Some((name, value)) => format!("{what}: {ours:.4} {unit}, beside {value:.4} of {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_figure_are_gathered_with_what_they_stand_beside() {
        let mut report = Report::new("two runs");
        for (ours, bulk) in [(2.0, 1.0), (3.0, 1.5)] {
            report.add(
                Sample::new("new rows", "s", ours)
                    .beside("bulk", bulk)
                    .goal(Goal::Times(2.0)),
            );
        }
        report.explain("new rows", "on a real disk");
        let figures = &report.to_json()["figures"];
        assert_eq!(figures.as_array().map(Vec::len), Some(1));
        assert_eq!(figures[0]["runs"], json!([2.0, 3.0]));
        assert_eq!(figures[0]["beside"], json!({ "name": "bulk", "runs": [1.0, 1.5] }));
        assert_eq!(figures[0]["goal"], json!({ "times": 2.0 }));
        assert_eq!(figures[0]["note"], "on a real disk");
    }
}
