//! PostgreSQL stopped and started while the server works on. Nobody touches the server: it goes on by itself.

use std::time::Duration;

use super::{Figures, PATIENCE, devices, load::Load, notes::Pulse};
use crate::{
    cluster::{Cluster, Stop},
    dice::Dice,
    hospital::Hospital,
    postgres::Database,
    server::{Kind, Server},
};

/// For a moment, as for an update.
pub(super) fn run(_: Kind, times: u32) -> Figures {
    let mut dice = Dice::new(5);
    strike(times, &mut |_| {
        std::thread::sleep(Duration::from_millis(dice.below(500) as u64));
        true
    })
}

/// So long that devices are told that the server is unavailable.
pub(super) fn run_away(_: Kind, times: u32) -> Figures {
    strike(times, &mut |pulse| pulse.wait(Pulse::unavailable, 3, PATIENCE))
}

/// Stops PostgreSQL, waits as `away` does, and starts it again. `away` says if devices were told what they must be.
fn strike(times: u32, away: &mut dyn FnMut(&Pulse) -> bool) -> Figures {
    let mut cluster = Cluster::start_new(None);
    let server = Server::prepare_on(Database::create_in(cluster.options()));
    let mut hospital = Hospital::open_on(server);
    let devices = devices(&mut hospital);
    let before = hospital.server.logged().len();
    let (load, mut dice) = (Load::start(devices), Dice::new(7));
    let (mut told, mut goes_on) = (true, true);
    for time in 0..times {
        std::thread::sleep(Duration::from_millis(10 + dice.below(300) as u64));
        cluster.stop(if time % 2 == 0 { Stop::Immediate } else { Stop::Fast });
        told &= away(load.pulse());
        cluster.start();
        goes_on &= load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
    }
    let lived = hospital.server.lives();
    let mut figures = Figures::reckon(times.into(), before, &hospital.server, load.stop());
    figures.require(told, "no device was told that the server is unavailable");
    figures.require(goes_on, "work does not go on after PostgreSQL is back");
    figures.require(lived, "the server ended");
    figures
}
