//! The reckoning: what devices were told, held against the stream and the tables, after everything is synced.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use holdfast_core::ids::{Seq, TransactionId};

use super::{load::Worker, notes::Deed};
use crate::{
    contents::{Contents, replicated},
    device::Device,
    hospital::GLOVES,
    server::Server,
};

/// How often a device may fail to come in step with a server that has nothing against it.
const ATTEMPTS: u32 = 20;

/// What it came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// How often the fault struck.
    pub times: u64,
    /// Transactions that devices made and told their people are kept.
    pub made: u64,
    /// Those of them that the server, or a hub, acknowledged while the fault struck.
    pub acknowledged: u64,
    /// Those of them that a hub acknowledged, whoever did so later.
    pub by_hub: u64,
    /// Those that were acknowledged and are not where the server said, or were made and did not arrive.
    pub lost: u64,
    /// Those that are in the stream, or in the tables, more than once.
    pub doubled: u64,
    /// Those that a server had to let wait, as they build on what had not come to it yet.
    pub waited: u64,
    /// Pushes that got no whole answer.
    pub interrupted: u64,
    /// Requests that were answered with 503.
    pub unavailable: u64,
    /// Commands and answers that a device's own store had no room for; the person was told so.
    pub unkept: u64,
    /// The longest time in which no device was told of an acknowledgement.
    pub longest_pause: Duration,
    /// What else is not as it must be, in words.
    pub problems: Vec<String>,
}

impl Figures {
    /// Reckons with a server that runs and workers that have stopped. `times` is how often the fault struck, `before` how many
    /// transactions the stream had before the work began.
    ///
    /// Acknowledgements are looked up before any device comes again and could give back what a server has lost.
    pub fn reckon(times: u64, before: usize, server: &Server, work: (Vec<Worker>, Duration)) -> Self {
        let (mut workers, longest_pause) = work;
        let mut figures = Self {
            times,
            longest_pause,
            ..Self::default()
        };
        let stream: BTreeMap<TransactionId, Seq> = server.stream().into_iter().map(|(seq, id)| (id, seq)).collect();
        for worker in &workers {
            figures.count_told(worker, &stream);
        }
        if !figures.problems.is_empty() {
            figures.problems.extend(errors_of(server));
        }
        figures.sync(&mut workers);
        figures.count_arrived(before, server, &mut workers);
        figures.compare(server, &workers);
        figures
    }

    /// Something else that must be so.
    pub fn require(&mut self, is_so: bool, otherwise: &str) {
        if !is_so {
            self.problems.push(otherwise.to_owned());
        }
    }

    /// True if nothing was lost, nothing is doubled, and all is as it must be.
    pub fn passed(&self) -> bool {
        (self.lost, self.doubled) == (0, 0) && self.problems.is_empty()
    }

    fn count_told(&mut self, worker: &Worker, stream: &BTreeMap<TransactionId, Seq>) {
        let notes = &worker.notes;
        self.made += notes.made.len() as u64;
        self.acknowledged += notes.acknowledged() as u64;
        self.by_hub += notes.relayed.len() as u64;
        let missing = notes.accepted.iter().filter(|(id, seq)| stream.get(id) != Some(seq));
        self.lost += missing.count() as u64 + notes.moved;
        self.waited += notes.waited.len() as u64;
        self.interrupted += notes.interrupted;
        self.unavailable += notes.statuses.get(&503).copied().unwrap_or(0);
        self.unkept += notes.unkept;
        if notes.unkept > 0 && !worker.may_lack_room {
            let count = notes.unkept;
            self.problems.push(format!("a device's own store failed {count} times"));
        }
        for (status, count) in notes.statuses.iter().filter(|(status, _)| !matches!(status, 429 | 503)) {
            self.problems
                .push(format!("{count} requests were answered with status {status}"));
        }
        if notes.without_time > 0 {
            let count = notes.without_time;
            self.problems
                .push(format!("{count} answers with 429 or 503 did not say when to come back"));
        }
        if let Some(id) = notes.waited.first()
            && !worker.may_roam
        {
            let count = notes.waited.len();
            self.problems.push(format!(
                "{count} transactions had to wait for what nobody has, the first is {id}"
            ));
        }
        if let Some((id, reason)) = notes.refused.first_key_value() {
            let count = notes.refused.len();
            self.problems.push(format!(
                "{count} transactions were refused, the first is {id}: {reason}"
            ));
        }
    }

    fn sync(&mut self, workers: &mut [Worker]) {
        // Once for what each has, once more for what the others had.
        for _ in 0..2 {
            for worker in workers.iter_mut() {
                if let Err(problem) = come_in_step(&mut worker.device) {
                    self.problems.push(format!("a device does not come in step: {problem}"));
                }
            }
        }
    }

    fn count_arrived(&mut self, before: usize, server: &Server, workers: &mut [Worker]) {
        let stream = server.logged();
        let unique: BTreeSet<&TransactionId> = stream.iter().collect();
        let made: BTreeMap<TransactionId, Deed> = workers.iter().flat_map(|w| w.notes.made.clone()).collect();
        let arrived = made.keys().filter(|id| unique.contains(id)).count();
        self.lost += (made.len() - arrived) as u64;
        self.doubled += (stream.len() - unique.len()) as u64;
        let killed: u64 = workers.iter().map(|worker| worker.notes.killed).sum();
        let untold = unique.len().saturating_sub(before + arrived) as u64;
        if untold > killed {
            self.problems.push(format!(
                "{untold} transactions came from nobody, where {killed} may have"
            ));
        }
        let Some(worker) = workers.first_mut() else { return };
        let mut count = |sql: &str| worker.device.text(sql).parse::<i64>().expect("a number");
        let gloves = 100 - count(&format!("SELECT current_stock FROM supplies WHERE id = '{GLOVES}'"));
        let patients = count("SELECT count(*) AS n FROM patients WHERE patient_number LIKE 'K%'");
        let did = |deed| made.values().filter(|d| **d == deed).count() as i64;
        let untold = untold as i64;
        for (found, told) in [(gloves, did(Deed::Gloves)), (patients, did(Deed::Patient))] {
            self.lost += (told - found).max(0) as u64;
            self.doubled += (found - told - untold).max(0) as u64;
        }
    }

    fn compare(&mut self, server: &Server, workers: &[Worker]) {
        if let Err(said) = server.verify() {
            self.problems
                .push(format!("the tables are not what the log says: {said}"));
        }
        let contents = server.contents(replicated);
        for (number, worker) in workers.iter().enumerate() {
            let status = worker.device.replica.status().expect("the device's store can be read");
            let counts = [status.waiting, status.rejected, status.differences, status.unfolded];
            if counts != [0; 4] || status.renewing {
                self.problems
                    .push(format!("device {number} is not in step: {status:?}"));
            }
            if Contents::of_sqlite(worker.device.file(), replicated) != contents {
                self.problems
                    .push(format!("device {number} has other rows than the server"));
            }
        }
    }
}

fn come_in_step(device: &mut Device) -> Result<(), String> {
    let mut attempt = 1;
    loop {
        match device.try_sync() {
            Err(_) if attempt < ATTEMPTS => std::thread::sleep(Duration::from_millis(250)),
            result => return result,
        }
        attempt += 1;
    }
}

/// The first errors in a server's log.
fn errors_of(server: &Server) -> Vec<String> {
    let said = server.said();
    let errors = said.lines().filter(|line| line.contains(" ERROR "));
    errors.take(3).map(|line| format!("the server said: {line}")).collect()
}
