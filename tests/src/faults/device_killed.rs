//! `kill -9` of a device while it works and exchanges.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    DEVICES, Figures, PATIENCE,
    life::Life,
    load::Worker,
    notes::{Notes, Pulse},
};
use crate::{device::Device, dice::Dice, hospital::Hospital, server::Kind};

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let mut hospital = Hospital::open(kind);
    let files: Vec<PathBuf> = (0..DEVICES).map(|_| hospital.device("ada").file().to_owned()).collect();
    let (address, before) = (hospital.server.address(), hospital.server.logged().len());
    let (pulse, mut dice) = (Arc::new(Pulse::default()), Dice::new(4));
    let begin = |file: &PathBuf| Life::begin(None, file, &address, PATIENCE, &pulse);
    let mut lives: Vec<Life> = files.iter().map(begin).collect();
    let mut notes = vec![Notes::default(); DEVICES];
    let mut goes_on = true;
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(10 + dice.below(240) as u64));
        let victim = dice.below(DEVICES);
        let life = std::mem::replace(&mut lives[victim], begin(&files[victim]));
        notes[victim].extend(life.end());
        goes_on &= pulse.wait(Pulse::acknowledged, 1, PATIENCE);
    }
    let pause = pulse.longest_pause();
    for (life, notes) in lives.into_iter().zip(&mut notes) {
        notes.extend(life.end());
    }
    let come_back = |(file, notes): (&PathBuf, Notes)| {
        let mut worker = Worker::new(Device::on_file(file, &address), 0, pulse.clone());
        worker.notes = notes;
        worker
    };
    let workers = files.iter().zip(notes).map(come_back).collect();
    let mut figures = Figures::reckon(times.into(), before, &hospital.server, (workers, pause));
    figures.require(goes_on, "work does not go on after a kill");
    figures
}
