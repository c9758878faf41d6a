//! No room on the disk of the server's SQLite store, or of PostgreSQL. Somebody makes room again and does nothing else;
//! only a PostgreSQL that ended over it is started again, as a service manager does.

use std::time::{Duration, Instant};

use super::{Figures, PATIENCE, devices, load::Load, notes::Pulse};
use crate::{
    cluster::Cluster,
    dice::Dice,
    disk::SmallDisk,
    hospital::Hospital,
    postgres::Database,
    server::{Kind, Server},
};

const MEGABYTES: u32 = 256;

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let disk = SmallDisk::mount(MEGABYTES).expect("small file systems can be mounted");
    let mut cluster = (kind == Kind::Postgres).then(|| Cluster::start_new(Some(disk.path())));
    let server = match &cluster {
        Some(cluster) => Server::prepare_on(Database::create_in(cluster.options())),
        None => Server::prepare_with_data_in(disk.path().join("data")),
    };
    let mut hospital = Hospital::open_on(server);
    let (devices, mut reader) = (devices(&mut hospital), hospital.device("ada"));
    let before = hospital.server.logged().len();
    let (load, mut dice) = (Load::start(devices), Dice::new(3));
    let (mut told, mut reads, mut goes_on) = (true, true, true);
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(100 + dice.below(300) as u64));
        disk.fill();
        told &= load.pulse().wait(Pulse::unavailable, 3, PATIENCE);
        // A PostgreSQL that cannot write its own log ends; then there is nothing to read from.
        reads &= kind == Kind::Postgres || reader.try_sync().is_ok();
        disk.make_room();
        goes_on &= goes_on_after(load.pulse(), cluster.as_mut());
    }
    let lived = hospital.server.lives();
    let advised = hospital.server.said().contains("make room");
    let mut figures = Figures::reckon(times.into(), before, &hospital.server, load.stop());
    figures.require(told, "no device was told that the server is unavailable");
    figures.require(advised || kind == Kind::Postgres, "the log does not say what to do");
    figures.require(reads, "a device that only reads is turned away, too");
    figures.require(goes_on, "work does not go on after there is room");
    figures.require(lived, "the server ended");
    figures
}

/// Waits until work goes on. A PostgreSQL takes a moment to end.
fn goes_on_after(pulse: &Pulse, mut cluster: Option<&mut Cluster>) -> bool {
    let begun = Instant::now();
    while !pulse.wait(Pulse::acknowledged, 1, Duration::from_millis(200)) {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        if let Some(cluster) = &mut cluster
            && !cluster.lives()
        {
            cluster.start();
        }
    }
    true
}
