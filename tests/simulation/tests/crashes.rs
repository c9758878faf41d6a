//! A device, the server and a hub die at each of their writes, and nothing is lost, doubled or different afterwards.

use holdfast_simulation::{Step, Victim, Work, crash_at_every_write, prelude::*};
use holdfast_store::testing::Mutation;

/// Fails if a crash at one of the victim's writes, from the step `from` on, ends badly, or if there are fewer than `least`.
fn survives(run: &Run, from: usize, victim: Victim, least: u64) {
    match crash_at_every_write(run, from, victim) {
        Ok(crashes) => {
            println!("{victim:?}: {crashes} crashes");
            assert!(crashes >= least, "only {crashes} crashes");
        }
        Err((run, violation)) => panic!("{victim:?}: {violation}\n{run:#?}"),
    }
}

fn work(device: u8, work: Work, pick: u32) -> Step {
    Do { device, work, pick }
}

/// A device copies the hospital, works, pulls, is refused something, and gives back what the server has lost.
fn a_devices_day() -> Run {
    Run {
        devices: 2,
        page: 100,
        steps: vec![
            Sync { device: 1 },
            Sync { device: 0 },
            work(0, TakeStock, 1),
            work(0, AdmitPatient, 2),
            Sync { device: 0 },
            work(1, EditPhone, 3),
            work(1, EditText, 4),
            Sync { device: 1 },
            work(0, EditPhone, 5),
            Sync { device: 0 },
            Role {
                person: 0,
                role: "cleaner",
            },
            work(0, RegisterPatient, 6),
            work(0, EditBed, 7),
            Sync { device: 0 },
            RestoreServer,
            SignIn { device: 0, person: 0 },
            Sync { device: 0 },
            SignIn { device: 0, person: 5 },
            work(0, EditSalary, 8),
            Sync { device: 0 },
        ],
        ..Run::default()
    }
}

#[test]
fn a_device_that_dies_at_any_write_loses_and_doubles_nothing() {
    survives(&a_devices_day(), 1, Victim::Device(0), 40);
}

/// Whoever asks again for what was done when the device died would do it twice: without a crash nobody sees it.
#[test]
fn the_crashes_find_what_only_crashes_show() {
    let _broken = Mutation::OrderCarriedOutTwice.turn_on();
    let run = a_devices_day();
    assert_eq!(simulate(&run).violation, None);
    assert!(crash_at_every_write(&run, 1, Victim::Device(0)).is_err());
}

#[test]
fn a_server_that_dies_at_any_write_loses_and_doubles_nothing() {
    let run = Run {
        devices: 2,
        page: 100,
        steps: vec![
            Role {
                person: 0,
                role: "cleaner",
            },
            Sync { device: 0 },
            Sync { device: 1 },
            work(0, TakeStock, 1),
            work(0, EditBed, 2),
            Sync { device: 0 },
            work(1, AdmitPatient, 3),
            work(1, TakeStock, 4),
            Sync { device: 1 },
            work(0, RegisterPatient, 5),
            work(0, EditBed, 6),
            Sync { device: 0 },
            Sync { device: 1 },
        ],
        ..Run::default()
    };
    survives(&run, 1, Victim::Server, 6);
}

/// What refers to a row comes back before the row does: the server keeps it until then.
#[test]
fn a_server_that_dies_while_something_waits_there_takes_it_in_once() {
    let run = Run {
        devices: 2,
        page: 100,
        steps: vec![
            Sync { device: 0 },
            Sync { device: 1 },
            work(0, RegisterPatient, 7),
            Sync { device: 0 },
            Sync { device: 1 },
            work(1, QueuePatient, 3),
            Sync { device: 1 },
            RestoreServer,
            SignIn { device: 0, person: 0 },
            SignIn { device: 1, person: 1 },
            Sync { device: 1 },
            Sync { device: 0 },
        ],
        ..Run::default()
    };
    survives(&run, 10, Victim::Server, 4);
}

/// Two devices admit to the same bed at a ward's hub; the hospital refuses one of them something.
#[test]
fn a_hub_that_dies_at_any_write_loses_and_doubles_nothing() {
    let run = Run {
        devices: 2,
        page: 100,
        hubs: 1,
        steps: vec![
            Roam { device: 0, server: 1 },
            Roam { device: 1, server: 1 },
            SignIn { device: 0, person: 0 },
            SignIn { device: 1, person: 1 },
            Sync { device: 0 },
            Sync { device: 1 },
            work(0, AdmitPatient, 1),
            work(0, TakeStock, 2),
            Sync { device: 0 },
            work(1, EditPhone, 3),
            Sync { device: 1 },
            Role {
                person: 0,
                role: "cleaner",
            },
            SyncHub { hub: 1 },
            Sync { device: 0 },
            Sync { device: 1 },
        ],
        ..Run::default()
    };
    survives(&run, 6, Victim::Hub(1), 12);
}
