//! Measurements: `cargo run --release -p holdfast-tests --bin bench -- push-pull`. `cargo xtask bench` gives it a
//! PostgreSQL that is as careful as a hospital's.

use std::process::ExitCode;

use holdfast_tests::{
    measure::{Plan, push_pull},
    server::Kind,
};

const USAGE: &str = "\
usage: bench [push-pull] [--rows 20000] [--runs 3] [--only postgres|sqlite]

push-pull   New patients are made on a device, pushed through the real server into its tables, copied to a second device
            by snapshot and to a third one by pulling the log; beside it a plain bulk insert of the same rows.
            PostgreSQL is where HOLDFAST_TEST_POSTGRES says.";

fn main() -> ExitCode {
    let Some(plan) = plan() else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    println!("{} patients, median of {} runs", plan.rows, plan.runs);
    for kind in &plan.kinds {
        println!("\n{}", push_pull(*kind, &plan));
    }
    ExitCode::SUCCESS
}

fn plan() -> Option<Plan> {
    let mut plan = Plan {
        rows: 20_000,
        runs: 3,
        kinds: vec![Kind::Postgres, Kind::Sqlite],
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "push-pull" => {}
            "--rows" => plan.rows = arguments.next()?.parse().ok()?,
            "--runs" => plan.runs = arguments.next()?.parse().ok().filter(|runs| *runs > 0)?,
            "--only" => plan.kinds.retain(kind(&arguments.next()?)?),
            _ => return None,
        }
    }
    if std::env::var_os("HOLDFAST_TEST_POSTGRES").is_none() && plan.kinds.contains(&Kind::Postgres) {
        println!("HOLDFAST_TEST_POSTGRES is not set: PostgreSQL is left out. `cargo xtask bench` sets it.");
        plan.kinds.retain(|kind| *kind != Kind::Postgres);
    }
    Some(plan)
}

fn kind(name: &str) -> Option<fn(&Kind) -> bool> {
    match name {
        "postgres" => Some(|kind| *kind == Kind::Postgres),
        "sqlite" => Some(|kind| *kind == Kind::Sqlite),
        _ => None,
    }
}
