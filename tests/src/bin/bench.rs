//! Measurements: `cargo run --release -p holdfast-tests --bin bench -- push-pull`. `cargo xtask bench` gives it a
//! PostgreSQL that is as careful as a hospital's.

use std::process::ExitCode;

use holdfast_tests::{
    measure::{Plan, push_pull, servers},
    server::Kind,
};

const USAGE: &str = "\
usage: bench [push-pull] [--rows 20000] [--runs 3] [--only postgres|sqlite]
       bench servers [--devices 8] [--rows 1000] [--seconds 10]

push-pull   New patients are made on a device, pushed through the real server into its tables, copied to a second device
            by snapshot and to a third one by pulling the log; beside it a plain bulk insert of the same rows.
            PostgreSQL is where HOLDFAST_TEST_POSTGRES says.

servers     Devices push to one server process, then to two on the same PostgreSQL: first a backlog of new patients each, then
            edits of one column, each in a push of its own; then they pull the last entry. Tells transactions and pulls a
            second, how long an answer takes, and the bytes that a transaction costs.";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("servers") {
        return measure_servers();
    }
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

fn measure_servers() -> ExitCode {
    let mut plan = servers::Plan::default();
    let mut arguments = std::env::args().skip(2);
    while let Some(argument) = arguments.next() {
        let Some(number) = arguments.next().and_then(|text| text.parse().ok()).filter(|n| *n > 0) else {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        };
        match argument.as_str() {
            "--devices" => plan.devices = number,
            "--rows" => plan.rows = number,
            "--seconds" => plan.seconds = number as u64,
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!(
        "{} devices, {} new patients each, {} s of edits",
        plan.devices, plan.rows, plan.seconds
    );
    for count in [1, 2] {
        println!("{}", servers::measure(count, &plan));
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
