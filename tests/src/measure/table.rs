//! The figures, as a table.

use std::{fmt, time::Duration};

use crate::server::Kind;

/// What everything is compared with.
pub(super) const BULK: &str = "plain bulk insert of the same rows";

/// Measured steps, each once per run.
pub struct Table {
    kind: Kind,
    rows: u32,
    steps: Vec<Measured>,
}

struct Measured {
    name: &'static str,
    whole: Vec<Duration>,
    waiting: Vec<Duration>,
    server: Vec<Duration>,
}

impl Table {
    /// Nothing measured yet.
    pub(super) fn new(kind: Kind, rows: u32) -> Self {
        Self {
            kind,
            rows,
            steps: Vec::new(),
        }
    }

    /// Adds a run's figures.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        whole: Duration,
        waiting: Option<Duration>,
        server: Option<Duration>,
    ) {
        let place = self.steps.iter().position(|step| step.name == name).unwrap_or_else(|| {
            self.steps.push(Measured {
                name,
                whole: Vec::new(),
                waiting: Vec::new(),
                server: Vec::new(),
            });
            self.steps.len() - 1
        });
        let step = &mut self.steps[place];
        step.whole.push(whole);
        step.waiting.extend(waiting);
        step.server.extend(server);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bulk = self.steps.iter().find(|s| s.name == BULK).map(|s| median(&s.whole));
        let name = self.kind.name();
        writeln!(
            f,
            "{name:<36} {:>9} {:>9} {:>7}   {:>9} {:>9} {:>9}",
            "seconds", "rows/s", "x bulk", "answers", "device", "server CPU"
        )?;
        for step in &self.steps {
            let whole = median(&step.whole);
            let rate = f64::from(self.rows) / whole;
            let ratio = bulk.map_or(0.0, |bulk| whole / bulk);
            write!(f, "{:<36} {whole:>9.3} {rate:>9.0} {ratio:>7.1}", step.name)?;
            if !step.waiting.is_empty() {
                let waiting = median(&step.waiting);
                let server = median(&step.server);
                write!(f, "   {waiting:>9.3} {:>9.3} {server:>9.3}", whole - waiting)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Seconds.
fn median(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map_or(0.0, Duration::as_secs_f64)
}
