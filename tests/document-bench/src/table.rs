//! The figures as Markdown.

use std::fmt::Write;

use crate::{
    sizes::Size,
    timing::{Spread, Timing},
};

/// Times and sizes, as two tables.
pub fn markdown(timings: &[(&str, Timing)], sizes: &[Size]) -> String {
    let mut text = String::new();
    line(&mut text, "| job | Holdfast | Automerge | times faster |");
    line(&mut text, "| --- | ---: | ---: | ---: |");
    for (name, timing) in timings {
        let ratio = format!("**{}** ± {:.0} %", figures(timing.ratio.median), timing.ratio.percent());
        let row = format!(
            "| {name} | {} | {} | {ratio} |",
            time(timing.holdfast),
            time(timing.automerge)
        );
        line(&mut text, &row);
    }
    line(&mut text, "");
    line(&mut text, "| bytes | Holdfast | Automerge | times smaller |");
    line(&mut text, "| --- | ---: | ---: | ---: |");
    for size in sizes {
        let ratio = figures(f64::from(size.automerge as u32) / f64::from(size.holdfast as u32));
        let row = format!(
            "| {} | {} | {} | **{ratio}** |",
            size.name, size.holdfast, size.automerge
        );
        line(&mut text, &row);
    }
    text
}

fn line(text: &mut String, row: &str) {
    writeln!(text, "{row}").expect("BUG: a string takes every text");
}

/// Microseconds, and how far samples lie apart.
fn time(seconds: Spread) -> String {
    format!("{} µs ± {:.0} %", figures(seconds.median * 1e6), seconds.percent())
}

/// About three figures.
fn figures(number: f64) -> String {
    match number {
        n if n < 10.0 => format!("{n:.2}"),
        n if n < 100.0 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}
