//! `kill -9` of a device while it works and exchanges: the process of `bin/device.rs` stands for a browser.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use super::{
    DEVICES, Figures, PATIENCE,
    load::Worker,
    notes::{Notes, Pulse},
};
use crate::{
    device::Device,
    dice::Dice,
    hospital::Hospital,
    server::{Kind, beside},
};

/// A device's process, and whoever listens to it.
struct Life {
    process: Child,
    listener: JoinHandle<Notes>,
}

pub(super) fn run(kind: Kind, times: u32) -> Figures {
    let mut hospital = Hospital::open(kind);
    let files: Vec<PathBuf> = (0..DEVICES).map(|_| hospital.device("ada").file().to_owned()).collect();
    let (address, before) = (hospital.server.address(), hospital.server.logged().len());
    let (pulse, mut dice) = (Arc::new(Pulse::default()), Dice::new(4));
    let mut lives: Vec<Life> = files.iter().map(|file| Life::begin(file, &address, &pulse)).collect();
    let mut notes = vec![Notes::default(); DEVICES];
    let mut goes_on = true;
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(10 + dice.below(240) as u64));
        let victim = dice.below(DEVICES);
        let life = std::mem::replace(&mut lives[victim], Life::begin(&files[victim], &address, &pulse));
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

impl Life {
    fn begin(file: &Path, address: &str, pulse: &Arc<Pulse>) -> Self {
        let mut process = Command::new(beside("device"))
            .arg(file)
            .arg(address)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the device starts");
        let out = process.stdout.take().expect("its output is ours");
        let pulse = pulse.clone();
        let listener = std::thread::spawn(move || listen(BufReader::new(out), &pulse));
        Self { process, listener }
    }

    fn end(mut self) -> Notes {
        let ended = self.process.try_wait().expect("the device can be asked");
        assert!(ended.is_none(), "the device ended by itself: {ended:?}");
        self.process.kill().expect("the device can be killed");
        self.process.wait().expect("the device ends");
        let mut notes = self.listener.join().expect("the listener ends");
        notes.killed = 1;
        notes
    }
}

/// Takes notes until the device is silent. A line that was cut is one that was not told.
fn listen(mut out: impl BufRead, pulse: &Pulse) -> Notes {
    let (mut notes, mut line) = (Notes::default(), String::new());
    while out.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
        let note = line.trim_end().parse().expect("a device prints notes");
        pulse.feel(&note);
        notes.add(note);
        line.clear();
    }
    notes
}
