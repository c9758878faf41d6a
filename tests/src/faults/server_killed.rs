//! `kill -9` of the server at any moment, and a new one at once.

use std::time::Duration;

use super::{Figures, PATIENCE, devices, load::Load, notes::Pulse};
use crate::{dice::Dice, hospital::Hospital, server::Kind};

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let mut hospital = Hospital::open(kind);
    let devices = devices(&mut hospital);
    let before = hospital.server.logged().len();
    let (load, mut dice) = (Load::start(devices), Dice::new(9));
    let mut goes_on = true;
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(10 + dice.below(240) as u64));
        hospital.server.kill();
        hospital.server.start();
        // Else the next kill may strike a server that has hardly begun; that shall be, too, but not each time.
        if dice.once_in(2) {
            goes_on &= load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
        }
    }
    goes_on &= load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
    let mut figures = Figures::reckon(times.into(), before, &hospital.server, load.stop());
    figures.require(goes_on, "work does not go on after a kill");
    figures
}
