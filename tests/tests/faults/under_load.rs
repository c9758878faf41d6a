//! Every fault of [`holdfast_tests::faults`] in a short version: nothing acknowledged is lost, nothing is doubled, the tables
//! are what the log says, all devices have the same rows. `cargo xtask faults` lets them strike a hundred times.

use std::process::Command;

use holdfast_tests::{
    faults::{FAULTS, Fault, Needs},
    networks,
    server::Kind,
};

mod sqlite {
    use super::*;

    #[test]
    fn a_killed_server_loses_and_doubles_nothing() {
        strike("server-killed", Kind::Sqlite);
    }

    #[test]
    fn cut_slow_and_silent_connections_lose_and_double_nothing() {
        strike("connections-cut", Kind::Sqlite);
    }

    #[test]
    fn a_killed_device_loses_and_doubles_nothing() {
        strike("device-killed", Kind::Sqlite);
    }

    #[test]
    fn a_full_disk_stops_writing_only_and_until_there_is_room() {
        strike("disk-full", Kind::Sqlite);
    }

    #[test]
    fn a_device_with_a_full_disk_says_so_and_goes_on_when_there_is_room() {
        strike("device-disk-full", Kind::Sqlite);
    }

    #[test]
    fn a_killed_hub_loses_and_doubles_nothing() {
        strike("hub-killed", Kind::Sqlite);
    }

    #[test]
    fn a_ward_that_is_cut_off_goes_on_and_loses_and_doubles_nothing() {
        strike("hub-cut-off", Kind::Sqlite);
    }

    #[test]
    fn a_killed_server_behind_a_hub_loses_and_doubles_nothing() {
        strike("hub-server-killed", Kind::Sqlite);
    }

    #[test]
    fn a_ward_of_machines_that_fail_and_devices_that_roam_loses_and_doubles_nothing() {
        strike("ward-in-networks", Kind::Sqlite);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn a_killed_server_loses_and_doubles_nothing() {
        strike("server-killed", Kind::Postgres);
    }

    #[test]
    fn one_of_two_servers_goes_on_at_once_when_the_other_is_killed() {
        strike("one-of-two-killed", Kind::Postgres);
    }

    #[test]
    fn a_server_goes_on_by_itself_when_postgresql_was_stopped_and_started() {
        strike("postgres-stopped", Kind::Postgres);
    }

    #[test]
    fn devices_are_told_when_to_come_back_while_postgresql_is_away() {
        strike("postgres-away", Kind::Postgres);
    }

    #[test]
    fn cut_slow_and_silent_connections_lose_and_double_nothing() {
        strike("connections-cut", Kind::Postgres);
    }

    #[test]
    fn a_killed_device_loses_and_doubles_nothing() {
        strike("device-killed", Kind::Postgres);
    }

    #[test]
    fn a_server_goes_on_by_itself_when_postgresql_has_room_again() {
        strike("disk-full", Kind::Postgres);
    }

    #[test]
    fn a_killed_hub_loses_and_doubles_nothing() {
        strike("hub-killed", Kind::Postgres);
    }

    #[test]
    fn a_ward_that_is_cut_off_goes_on_and_loses_and_doubles_nothing() {
        strike("hub-cut-off", Kind::Postgres);
    }

    #[test]
    fn a_killed_server_behind_a_hub_loses_and_doubles_nothing() {
        strike("hub-server-killed", Kind::Postgres);
    }

    #[test]
    fn a_ward_of_machines_that_fail_and_devices_that_roam_loses_and_doubles_nothing() {
        strike("ward-in-networks", Kind::Postgres);
    }
}

#[test]
fn every_fault_has_a_test() {
    let this = include_str!("under_load.rs");
    for fault in FAULTS {
        assert!(
            this.contains(&format!("strike({:?}", fault.name)),
            "{} has none",
            fault.name
        );
    }
}

fn strike(name: &str, kind: Kind) {
    let fault = Fault::named(name).expect("there is such a fault");
    assert!(fault.on.contains(&kind));
    match fault.needs {
        Needs::Nothing => {}
        Needs::Mounts => return strike_in_a_process(fault, kind),
        Needs::Networks => match networks::possible(&[kind]) {
            Ok(()) => return strike_in_a_process(fault, kind),
            Err(why) => return println!("skipped, as this machine makes no networks: {why}"),
        },
    }
    let figures = (fault.run)(kind, fault.in_tests);
    println!("{figures:?}");
    assert!(figures.passed(), "{figures:#?}");
    assert!(figures.times >= fault.in_tests.into());
    // One for each time, and five of each device: how many there are in the pauses is a matter of the machine.
    assert!(
        figures.acknowledged >= figures.times.max(20),
        "hardly anything was acknowledged: the test shows nothing: {figures:#?}"
    );
}

/// What is mounted, and what networks are made, is there for a process of its own.
fn strike_in_a_process(fault: &Fault, kind: Kind) {
    let kills = (fault.in_tests * 100).div_ceil(fault.in_100).to_string();
    let on = match kind {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgres",
    };
    let output = Command::new(env!("CARGO_BIN_EXE_faults"))
        .args(["--kills", &kills, "--on", on, fault.name])
        .output()
        .expect("the program runs");
    let (table, told) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{table}\n{told}");
    assert!(table.contains(fault.what), "{table}\n{told}");
}
