//! The figures, as a table that stands in a document as it is printed.

use std::fmt;

use super::{Fault, Figures};
use crate::server::Kind;

/// A row for each fault that was tried.
#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    what: &'static str,
    kind: Kind,
    figures: Figures,
}

impl Table {
    /// Adds what a fault came to.
    pub fn add(&mut self, fault: &Fault, kind: Kind, figures: Figures) {
        let what = fault.what;
        self.0.push(Row { what, kind, figures });
    }

    /// True if every fault passed.
    pub fn passed(&self) -> bool {
        self.0.iter().all(|row| row.figures.passed())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            "fault",
            "store",
            "times",
            "acknowledged",
            "lost",
            "doubled",
            "longest pause",
        ];
        let cells = |row: &Row| {
            let figures = &row.figures;
            [
                row.what.to_owned(),
                row.kind.name().to_owned(),
                figures.times.to_string(),
                figures.acknowledged.to_string(),
                figures.lost.to_string(),
                figures.doubled.to_string(),
                format!("{:.1} s", figures.longest_pause.as_secs_f64()),
            ]
        };
        let rows: Vec<[String; 7]> = self.0.iter().map(cells).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].len());
            cells.chain([names[column].len()]).max().unwrap_or(0)
        };
        let mut line = |cells: &[&str]| {
            write!(f, "|")?;
            for (column, cell) in cells.iter().enumerate() {
                let width = width(column);
                match column {
                    0 | 1 => write!(f, " {cell:<width$} |")?,
                    _ => write!(f, " {cell:>width$} |")?,
                }
            }
            writeln!(f)
        };
        line(&names)?;
        line(&["---", "---", "---:", "---:", "---:", "---:", "---:"])?;
        for row in &rows {
            line(&row.each_ref().map(String::as_str))?;
        }
        for row in self.0.iter().filter(|row| !row.figures.problems.is_empty()) {
            writeln!(f, "\n{} on {}:", row.what, row.kind.name())?;
            for problem in &row.figures.problems {
                writeln!(f, "  {problem}")?;
            }
        }
        Ok(())
    }
}
