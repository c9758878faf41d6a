//! No room on a device's own disk: people are told that nothing was kept, and nothing that was kept is lost.

use std::time::Duration;

use super::{DEVICES, Figures, PATIENCE, load::Load, notes::Pulse};
use crate::{
    device::Device,
    dice::Dice,
    disk::SmallDisk,
    hospital::{Hospital, PASSWORD},
    server::Kind,
};

const MEGABYTES: u32 = 256;

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let disk = SmallDisk::mount(MEGABYTES).expect("small file systems can be mounted");
    let hospital = Hospital::open(kind);
    let address = hospital.server.address();
    let device = |number| {
        let mut device = Device::on_file(&disk.path().join(format!("device-{number}.sqlite")), &address);
        device.sign_in("ada", PASSWORD).expect("ada can sign in");
        device.sync();
        device
    };
    let devices = (0..DEVICES).map(device).collect();
    let before = hospital.server.logged().len();
    let (load, mut dice) = (Load::start(devices), Dice::new(2));
    let (mut told, mut goes_on) = (true, true);
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(100 + dice.below(300) as u64));
        disk.fill();
        told &= load.pulse().wait(Pulse::unkept, 3, PATIENCE);
        disk.make_room();
        goes_on &= load.pulse().wait(Pulse::acknowledged, 1, PATIENCE);
    }
    let (mut workers, pause) = load.stop();
    for worker in &mut workers {
        worker.may_lack_room = true;
    }
    let mut figures = Figures::reckon(times.into(), before, &hospital.server, (workers, pause));
    figures.require(told, "no person was told that there is no room");
    figures.require(goes_on, "work does not go on after there is room");
    figures
}
