//! Connections that are cut at any byte, of requests and of answers, are slow, or fall silent in the middle.

use std::time::Duration;

use super::{Figures, PATIENCE, devices, load::Load, notes::Pulse};
use crate::{hospital::Hospital, proxy::Proxy, server::Kind};

/// Devices give up sooner than usual, so that a connection that fell silent costs little time.
const DEVICE_PATIENCE: Duration = Duration::from_millis(700);

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let mut hospital = Hospital::open(kind);
    let proxy = Proxy::start(&hospital.server.address(), 6);
    let mut devices = devices(&mut hospital);
    for device in &mut devices {
        device.server = proxy.address();
        device.set_patience(DEVICE_PATIENCE);
    }
    let before = hospital.server.logged().len();
    let load = Load::start(devices);
    let mut goes_on = true;
    while proxy.cuts() < times as usize && goes_on {
        goes_on = load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
    }
    let struck = proxy.cuts() as u64;
    let lived = hospital.server.lives();
    let (mut workers, pause) = load.stop();
    for worker in &mut workers {
        worker.device.server = hospital.server.address();
        worker.device.set_patience(PATIENCE);
    }
    let mut figures = Figures::reckon(struck, before, &hospital.server, (workers, pause));
    figures.require(goes_on, "nothing gets through");
    figures.require(lived, "the server ended");
    figures
}
