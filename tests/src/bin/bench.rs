//! One benchmark, its figures as JSON: `cargo xtask bench NAME` runs it with a PostgreSQL that is as careful as a hospital's
//! and puts the figures into `docs/benchmarks.md`.

use std::process::ExitCode;

use holdfast_tests::{
    measure::{ALL, Measure, Plan},
    server::Kind,
};

const USAGE: &str = "\
usage: bench NAME [--rows N] [--devices N] [--runs 3] [--only postgres|sqlite] [--to FILE]

Measures and writes JSON to the file, or prints it. PostgreSQL is where HOLDFAST_TEST_POSTGRES says.";

fn main() -> ExitCode {
    let Some((measure, plan, to)) = arguments() else {
        let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("{USAGE}\nNames: {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    let json = format!("{:#}\n", measure(&plan).to_json());
    match to {
        None => print!("{json}"),
        Some(file) => {
            if let Err(error) = std::fs::write(&file, json) {
                eprintln!("writing {file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn arguments() -> Option<(Measure, Plan, Option<String>)> {
    let mut plan = Plan {
        rows: None,
        devices: None,
        runs: 3,
        kinds: vec![Kind::Postgres, Kind::Sqlite],
    };
    let mut to = None;
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next()?;
    let (_, measure) = ALL.iter().find(|(known, _)| *known == name)?;
    while let Some(argument) = arguments.next() {
        let value = arguments.next()?;
        let number = value.parse::<usize>().ok().filter(|number| *number > 0);
        match argument.as_str() {
            "--rows" => plan.rows = Some(number?),
            "--devices" => plan.devices = Some(number?),
            "--runs" => plan.runs = number?,
            "--only" => plan.kinds = vec![kind(&value)?],
            "--to" => to = Some(value),
            _ => return None,
        }
    }
    Some((*measure, plan, to))
}

fn kind(name: &str) -> Option<Kind> {
    match name {
        "postgres" => Some(Kind::Postgres),
        "sqlite" => Some(Kind::Sqlite),
        _ => None,
    }
}
