//! A ward's hub between devices and the hospital's server: it, that server, or the line between them fails.
//!
//! What the hub acknowledged is looked for at the hospital before any device comes again. Then the devices leave the ward: the
//! reckoning is held with the hospital's server.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Figures, PATIENCE, devices,
    load::{Load, Worker},
    notes::Pulse,
};
use crate::{
    dice::Dice,
    hospital::Hospital,
    server::{Kind, Server},
    ward::Ward,
};

/// `kill -9` of the hub, and a new one at once.
pub(super) fn run_killed(kind: Kind, times: u32) -> Figures {
    strike(kind, times, &mut |_, ward, _| {
        ward.hub.kill();
        ward.hub.start();
    })
}

/// The line to the hospital is away for a moment.
pub(super) fn run_cut_off(kind: Kind, times: u32) -> Figures {
    strike(kind, times, &mut |_, ward, dice| {
        ward.line.cut();
        std::thread::sleep(Duration::from_millis(50 + dice.below(450) as u64));
        ward.line.mend();
    })
}

/// `kill -9` of the hospital's server behind the hub, which is away for a moment.
pub(super) fn run_server_killed(kind: Kind, times: u32) -> Figures {
    strike(kind, times, &mut |hospital, _, dice| {
        hospital.server.kill();
        std::thread::sleep(Duration::from_millis(dice.below(300) as u64));
        hospital.server.start();
    })
}

fn strike(kind: Kind, times: u32, fail: &mut dyn FnMut(&mut Hospital, &mut Ward, &mut Dice)) -> Figures {
    let mut hospital = Hospital::open(kind);
    let mut ward = Ward::open(&hospital, "ward");
    let mut devices = devices(&mut hospital);
    for device in &mut devices {
        device.server = ward.address();
        device.sync();
    }
    let before = hospital.server.logged().len();
    let (load, mut dice) = (Load::start(devices), Dice::new(11));
    let mut goes_on = true;
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(10 + dice.below(240) as u64));
        fail(&mut hospital, &mut ward, &mut dice);
        if dice.once_in(2) {
            goes_on &= load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
        }
    }
    goes_on &= load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
    let (mut workers, pause) = load.stop();
    ward.wait_until_passed_on();
    let forgotten = forgotten(&hospital.server, &workers);
    for worker in &mut workers {
        worker.device.server = hospital.server.address();
    }
    let mut figures = Figures::reckon(times.into(), before, &hospital.server, (workers, pause));
    figures.lost += forgotten;
    figures.require(goes_on, "work does not go on in the ward");
    let head = hospital.server.stream();
    ward.wait("the stream's end", |_| ward.hub.stream() == head);
    figures
}

/// How many transactions a hub acknowledged that have not arrived at the hospital's server.
pub(super) fn forgotten(server: &Server, workers: &[Worker]) -> u64 {
    let arrived: BTreeSet<_> = server.logged().into_iter().collect();
    let kept = workers.iter().flat_map(|worker| &worker.notes.relayed);
    kept.filter(|id| !arrived.contains(id)).count() as u64
}
