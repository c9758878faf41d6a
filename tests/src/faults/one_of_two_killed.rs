//! `kill -9` of one of two servers on one database. The other one goes on at once, and the one that was killed comes back.

use std::time::Duration;

use super::{Figures, PATIENCE, devices, load::Load, notes::Pulse};
use crate::{balancer::Balancer, dice::Dice, hospital::Hospital, server::Kind};

/// How long it may take until the other server acknowledges something: far less than any time-out.
const AT_ONCE: Duration = Duration::from_secs(5);

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let mut hospital = Hospital::open(kind);
    let mut other = hospital.server.beside();
    other.start();
    let balancer = Balancer::start(&[&hospital.server.address(), &other.address()]);
    let mut devices = devices(&mut hospital);
    for device in &mut devices {
        device.server = balancer.address();
    }
    let before = hospital.server.logged().len();
    let (load, mut dice) = (Load::start(devices), Dice::new(11));
    let mut goes_on = true;
    for time in 0..times {
        std::thread::sleep(Duration::from_millis(10 + dice.below(240) as u64));
        let mortal = if time % 2 == 0 {
            &mut hospital.server
        } else {
            &mut other
        };
        mortal.kill();
        goes_on &= load.pulse().wait(Pulse::acknowledged, 3, AT_ONCE);
        mortal.start();
    }
    let comes_back = load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
    let mut figures = Figures::reckon(times.into(), before, &hospital.server, load.stop());
    figures.require(goes_on, "the other server does not go on at once");
    figures.require(comes_back, "work does not go on after the last kill");
    figures
}
