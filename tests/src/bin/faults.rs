//! Real faults: `cargo run --release -p holdfast-tests --bin faults`. `cargo xtask faults` gives it a PostgreSQL.

use std::process::ExitCode;

use holdfast_tests::{
    faults::{FAULTS, Fault, Needs, Table, own},
    networks,
    server::Kind,
};

const USAGE: &str = "usage: faults [--kills 100] [--on sqlite|postgres] [NAME…]

Lets the real server, its database, its disk, the network and devices fail under load. Prints for each fault how often it
struck, how many transactions were acknowledged meanwhile, how many of all that devices kept are lost, how many are there
twice, and the longest time in which no device was told of an acknowledgement. Fails unless nothing is lost or doubled, the
tables are what the log says, and all devices have the same rows.";

/// What is asked for.
struct Plan {
    kills: u32,
    kinds: Vec<Kind>,
    faults: Vec<&'static Fault>,
}

fn main() -> ExitCode {
    let Some(mut plan) = plan() else {
        eprintln!("{USAGE}\n");
        for fault in FAULTS {
            eprintln!("{:<18}  {}", fault.name, fault.what);
        }
        return ExitCode::FAILURE;
    };
    if plan.needs(Needs::Networks)
        && !own::has()
        && let Err(error) = networks::possible(&plan.kinds)
    {
        eprintln!(
            "networks cannot be made here, which ward-in-networks needs; the hub's other faults do without: {error}"
        );
        plan.faults.retain(|fault| fault.needs != Needs::Networks);
    }
    if plan.faults.is_empty() {
        return ExitCode::FAILURE;
    }
    if (plan.needs(Needs::Mounts) || plan.needs(Needs::Networks))
        && let Err(error) = own::have(plan.needs(Needs::Networks))
    {
        eprintln!("small file systems, to be filled, cannot be mounted here: {error}; be root, or name other faults");
        return ExitCode::FAILURE;
    }
    // A network of its own has not even this to begin with, which all other faults need.
    if plan.needs(Needs::Networks) {
        drop(networks::Machine::here());
    }
    let mut table = Table::default();
    for fault in &plan.faults {
        for kind in plan.kinds.iter().filter(|kind| fault.on.contains(kind)) {
            let times = (u64::from(plan.kills) * u64::from(fault.in_100)).div_ceil(100) as u32;
            eprintln!("{} on {}, {times} times", fault.what, kind.name());
            let figures = (fault.run)(*kind, times);
            eprintln!("{figures:?}");
            table.add(fault, *kind, figures);
        }
    }
    println!("{table}");
    ExitCode::from(u8::from(!table.passed()))
}

impl Plan {
    fn needs(&self, what: Needs) -> bool {
        self.faults.iter().any(|fault| fault.needs == what)
    }
}

fn plan() -> Option<Plan> {
    let mut plan = Plan {
        kills: 100,
        kinds: vec![Kind::Sqlite, Kind::Postgres],
        faults: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--kills" => plan.kills = arguments.next()?.parse().ok().filter(|kills| *kills > 0)?,
            "--on" => {
                plan.kinds = vec![match arguments.next()?.as_str() {
                    "sqlite" => Kind::Sqlite,
                    "postgres" => Kind::Postgres,
                    _ => return None,
                }];
            }
            name => plan.faults.push(Fault::named(name)?),
        }
    }
    if plan.faults.is_empty() {
        plan.faults.extend(FAULTS);
    }
    Some(plan)
}
