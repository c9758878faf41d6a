//! Real faults with the real server: what goes wrong, under load, and what it came to.
//!
//! ```text
//!  a fault (one file each): servers, a database, a proxy, a disk; what is killed, stopped, cut, filled
//!     │ gives each device its server's address                     │ strikes, and waits until work goes on
//!     ▼                                                            ▼
//!  Load: devices that work all the time ──► Notes: what each was told ──► Figures: held against stream and tables
//! ```
//!
//! Load and reckoning know nothing of what is started and killed: a fault with two servers on one database, or with a hub
//! between devices and server, opens them, hands out their addresses and strikes; the rest stays as it is.

mod connections_cut;
mod device_disk_full;
mod device_killed;
mod disk_full;
mod hub;
mod life;
pub mod load;
pub mod notes;
mod one_of_two_killed;
pub mod own;
mod postgres_stopped;
pub mod reckoning;
mod server_killed;
mod table;
mod ward_in_networks;

pub use reckoning::Figures;
pub use table::Table;

use std::time::Duration;

use crate::{device::Device, hospital::Hospital, server::Kind};

/// How many devices work.
const DEVICES: usize = 4;

/// How long it may take until work goes on after the fault is over.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a fault needs that not every machine permits: see [`own`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// To mount small file systems.
    Mounts,
    /// To make networks.
    Networks,
}

/// Something that goes wrong.
pub struct Fault {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens, for the table.
    pub what: &'static str,
    /// Where it applies.
    pub on: &'static [Kind],
    /// How often in a long run of 100, as it takes longer than others or is over sooner.
    pub in_100: u32,
    /// How often in the test run.
    pub in_tests: u32,
    /// What it needs that not every machine permits.
    pub needs: Needs,
    /// Lets it happen this often under load.
    pub run: fn(Kind, u32) -> Figures,
}

const BOTH: &[Kind] = &[Kind::Sqlite, Kind::Postgres];

/// All faults.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "server-killed",
        what: "kill -9 of the server",
        on: BOTH,
        in_100: 100,
        in_tests: 8,
        needs: Needs::Nothing,
        run: server_killed::run,
    },
    Fault {
        name: "one-of-two-killed",
        what: "kill -9 of one of two servers",
        on: &[Kind::Postgres],
        in_100: 100,
        in_tests: 6,
        needs: Needs::Nothing,
        run: one_of_two_killed::run,
    },
    Fault {
        name: "postgres-stopped",
        what: "PostgreSQL stopped (immediate, fast) and started",
        on: &[Kind::Postgres],
        in_100: 100,
        in_tests: 3,
        needs: Needs::Nothing,
        run: postgres_stopped::run,
    },
    Fault {
        name: "postgres-away",
        what: "PostgreSQL away until devices are told so",
        on: &[Kind::Postgres],
        in_100: 3,
        in_tests: 1,
        needs: Needs::Nothing,
        run: postgres_stopped::run_away,
    },
    Fault {
        name: "connections-cut",
        what: "connections cut, delayed, half-sent",
        on: BOTH,
        in_100: 1_000,
        in_tests: 60,
        needs: Needs::Nothing,
        run: connections_cut::run,
    },
    Fault {
        name: "hub-killed",
        what: "kill -9 of a ward's hub",
        on: BOTH,
        in_100: 100,
        in_tests: 6,
        needs: Needs::Nothing,
        run: hub::run_killed,
    },
    Fault {
        name: "hub-cut-off",
        what: "the line between a ward's hub and the hospital cut",
        on: BOTH,
        in_100: 100,
        in_tests: 6,
        needs: Needs::Nothing,
        run: hub::run_cut_off,
    },
    Fault {
        name: "hub-server-killed",
        what: "kill -9 of the hospital's server behind a ward's hub",
        on: BOTH,
        in_100: 100,
        in_tests: 6,
        needs: Needs::Nothing,
        run: hub::run_server_killed,
    },
    Fault {
        name: "ward-in-networks",
        what: "a ward's lines cut, its processes killed, devices roam",
        on: BOTH,
        in_100: 100,
        in_tests: 9,
        needs: Needs::Networks,
        run: ward_in_networks::run,
    },
    Fault {
        name: "device-killed",
        what: "kill -9 of a device",
        on: BOTH,
        in_100: 100,
        in_tests: 8,
        needs: Needs::Nothing,
        run: device_killed::run,
    },
    Fault {
        name: "disk-full",
        what: "the server's or PostgreSQL's disk full",
        on: BOTH,
        in_100: 20,
        in_tests: 1,
        needs: Needs::Mounts,
        run: disk_full::run,
    },
    Fault {
        name: "device-disk-full",
        what: "a device's disk full",
        on: BOTH,
        in_100: 20,
        in_tests: 1,
        needs: Needs::Mounts,
        run: device_disk_full::run,
    },
];

impl Fault {
    /// The fault with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FAULTS.iter().find(|fault| fault.name == name)
    }
}

/// The devices that work, each with a copy of the hospital.
fn devices(hospital: &mut Hospital) -> Vec<Device> {
    (0..DEVICES).map(|_| hospital.device("ada")).collect()
}
