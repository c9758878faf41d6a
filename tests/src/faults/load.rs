//! The load: devices that make commands all the time and exchange them with whatever server they were given.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use holdfast_core::protocol::{PushOutcome, PushResponse, decode};
use holdfast_store::replica::{HttpRequest, RequestKind};
use serde_json::json;

use super::notes::{Deed, Note, Notes, Pulse};
use crate::{device::Device, dice::Dice, hospital::GLOVES};

/// Nobody goes on making commands with more than this waiting: a long outage ends with a test that is still short.
const MOST_WAITING: usize = 300;

/// A device and what it was told.
pub struct Worker {
    /// The device. Everybody sees everything: it is an administrator's.
    pub device: Device,
    /// What it was told.
    pub notes: Notes,
    /// Prints each note, for whoever started this process.
    pub aloud: bool,
    /// Its own disk is full at times.
    pub may_lack_room: bool,
    /// It goes from server to server, and may be ahead of one of them.
    pub may_roam: bool,
    pulse: Arc<Pulse>,
    dice: Dice,
    patients: Vec<String>,
}

/// Devices at work, each on a thread of its own.
pub struct Load {
    pulse: Arc<Pulse>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Worker>>,
}

impl Load {
    /// Lets devices work. Each goes to the server that it was given.
    pub fn start(devices: Vec<Device>) -> Self {
        let (pulse, stop) = (Arc::new(Pulse::default()), Arc::new(AtomicBool::new(false)));
        let begin = |(seed, device)| {
            let (mut worker, stop) = (Worker::new(device, seed, pulse.clone()), stop.clone());
            std::thread::spawn(move || {
                worker.work(&stop);
                worker
            })
        };
        let threads = (0..).zip(devices).map(begin).collect();
        Self { pulse, stop, threads }
    }

    /// How it goes.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Ends the work where it is: nothing is exchanged any more. Returns the workers and the longest time in which no device
    /// was told of an acknowledgement.
    pub fn stop(self) -> (Vec<Worker>, Duration) {
        let pause = self.pulse.longest_pause();
        self.stop.store(true, Ordering::Relaxed);
        let ended = |thread: JoinHandle<Worker>| thread.join().expect("a device never panics");
        (self.threads.into_iter().map(ended).collect(), pause)
    }
}

impl Worker {
    /// A device that has not made anything yet.
    pub fn new(device: Device, seed: u64, pulse: Arc<Pulse>) -> Self {
        Self {
            device,
            notes: Notes::default(),
            aloud: false,
            may_lack_room: false,
            may_roam: false,
            pulse,
            dice: Dice::new(seed),
            patients: Vec::new(),
        }
    }

    /// Makes commands and exchanges them until told to stop.
    pub fn work(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            if self.notes.made.len() < self.notes.acknowledged() + MOST_WAITING {
                for _ in 0..=self.dice.below(4) {
                    self.make();
                }
            }
            self.device.replica.wake();
            if !self.exchange(stop) {
                // As devices do, only sooner: to press the server is what this is for.
                std::thread::sleep(Duration::from_millis(10 + self.dice.below(30) as u64));
            }
        }
    }

    fn make(&mut self) {
        let (deed, kind, command) = match self.dice.below(4) {
            0 | 1 => (Deed::Patient, "createRow", new_patient()),
            2 if !self.patients.is_empty() => {
                let id = self.dice.pick(&self.patients).clone();
                let phone = format!("+49 {:08}", self.dice.below(100_000_000));
                let command = json!({ "table": "patients", "id": id, "values": { "phone": phone } });
                (Deed::Phone, "editRow", command)
            }
            _ => {
                let command = json!({ "table": "supplies", "id": GLOVES.to_string(), "values": {},
                    "add": { "current_stock": -1 } });
                (Deed::Gloves, "editRow", command)
            }
        };
        match self.device.try_run(kind, command) {
            Ok(receipt) => {
                if deed == Deed::Patient {
                    self.patients.extend(receipt.rows.into_iter().map(|row| row.id));
                }
                self.note(Note::Made(receipt.transaction_id, deed));
            }
            Err(_) => self.note(Note::Unkept),
        }
    }

    /// Exchanges until all is exchanged, something fails, or it is told to stop. False if something failed.
    fn exchange(&mut self, stop: &AtomicBool) -> bool {
        while !stop.load(Ordering::Relaxed) {
            match self.device.replica.next_request() {
                Ok(Some(request)) if self.ask(&request) => {}
                Ok(None) => return true,
                Ok(Some(_)) => return false,
                Err(_) => {
                    self.note(Note::Unkept);
                    return false;
                }
            }
        }
        true
    }

    fn ask(&mut self, request: &HttpRequest) -> bool {
        let answer = self.device.ask(request);
        match (&answer, &request.kind) {
            (Ok(answer), _) if answer.status != 200 => {
                self.note(Note::Status(answer.status, answer.retry_after.is_some()));
            }
            (Ok(answer), RequestKind::Push(_)) => self.note_outcomes(&answer.body),
            (Err(_), RequestKind::Push(_)) => self.note(Note::Interrupted),
            _ => {}
        }
        if let Ok(taken) = self.device.take(request, answer) {
            return taken.is_ok();
        }
        self.note(Note::Unkept);
        false
    }

    /// What the server says is noted before the replica makes anything of it.
    fn note_outcomes(&mut self, body: &[u8]) {
        let Ok(response) = decode::<PushResponse>(body) else {
            return self.note(Note::Interrupted);
        };
        for outcome in response.outcomes {
            match outcome {
                PushOutcome::Accepted { id, seq } => self.note(Note::Accepted(id, seq)),
                PushOutcome::Relayed { id, .. } => self.note(Note::Relayed(id)),
                PushOutcome::Rejected { id, reason, .. } => self.note(Note::Refused(id, reason)),
                PushOutcome::Waiting { id, .. } | PushOutcome::Later { id, .. } => {
                    self.note(Note::Waiting(id));
                }
            }
        }
    }

    fn note(&mut self, note: Note) {
        if self.aloud {
            let mut out = std::io::stdout();
            // Nobody listens any more: then this process is about to be ended.
            writeln!(out, "{note}").and_then(|()| out.flush()).ok();
        }
        self.pulse.feel(&note);
        self.notes.add(note);
    }
}

/// A patient whose number nobody else gives.
fn new_patient() -> serde_json::Value {
    let mut number = [0; 8];
    getrandom::fill(&mut number).expect("the operating system has randomness");
    let number = format!("K{:016x}", u64::from_le_bytes(number));
    json!({ "table": "patients", "values": { "patient_number": number, "first_name": "A", "last_name": "B",
        "date_of_birth": "1980-05-05" } })
}
