//! A device in a process of its own, which can be killed: the process of `bin/device.rs` stands for a browser.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use super::notes::{Notes, Pulse};
use crate::{networks::Machine, server::beside};

/// A device's process, and whoever listens to it.
pub(super) struct Life {
    process: Child,
    listener: JoinHandle<Notes>,
}

impl Life {
    /// A device works with the server at `address`, here or on a machine of its own, and gives requests up after `patience`.
    pub(super) fn begin(
        machine: Option<&Machine>,
        file: &Path,
        address: &str,
        patience: Duration,
        pulse: &Arc<Pulse>,
    ) -> Self {
        let program = beside("device");
        let mut command = machine.map_or_else(|| Command::new(&program), |machine| machine.command(&program));
        let mut process = command
            .arg(file)
            .arg(address)
            .arg(patience.as_millis().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the device starts");
        let out = process.stdout.take().expect("its output is ours");
        let pulse = pulse.clone();
        let listener = std::thread::spawn(move || listen(BufReader::new(out), &pulse));
        Self { process, listener }
    }

    /// `kill -9`. Returns what it was told in this life.
    pub(super) fn end(mut self) -> Notes {
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
