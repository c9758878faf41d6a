//! A server, the hospital's or a ward's hub, and what an onlooker at its door remembers of it.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::{
    document::{Actor, DocumentId},
    ids::{ChangeHash, TransactionId},
    protocol::{self, PushOutcome, PushRequest, PushResponse},
    transaction::Transaction,
};
use holdfast_store::{
    StoreError,
    replica::{HttpRequest, HttpResponse, RequestKind},
    testing::{Answer, Ask, Chance, Clock, Crash, CrashPoint, Database, Disk, TestServer},
};

use crate::{check::Violation, device::DeviceNode, hospital, ledger::Key, world::HOSPITAL};

/// The codes of refusals that happen at the door: what was refused there is not kept.
const AT_THE_DOOR: [&str; 4] = ["wrong_device", "wrong_signature", "id_taken", "device_revoked"];

/// A server: one process, or several over the same database. What one of them keeps in memory the others do not know.
pub struct ServerNode {
    /// Its number in the run.
    pub number: usize,
    /// As a hub it has a link to the hospital's server.
    pub link: bool,
    /// What it has refused and must keep.
    pub refused: BTreeSet<TransactionId>,
    /// How often a process of it died while it did something.
    pub deaths: u64,
    /// It was put back to a backup.
    pub restored: bool,
    /// What several processes share; one alone has its own.
    database: Option<Database>,
    processes: Vec<Process>,
    /// Each process stands on a machine of its own.
    clocks: Vec<Clock>,
    /// Which process is next: requests are spread over them.
    chance: Chance,
    backup: Disk,
    starts: u64,
    page: usize,
    /// Who numbered which change how, in every transaction that was ever sent.
    numbered: BTreeMap<(DocumentId, Actor, u64), ChangeHash>,
}

struct Process {
    server: TestServer,
    crash: Option<Crash>,
}

impl Process {
    fn spare(&self, spared: bool) {
        self.crash.iter().for_each(|crash| crash.spare(spared));
    }
}

impl ServerNode {
    /// The server of the beginning as so many processes, or for another number one of its hubs.
    pub fn new(number: usize, processes: u8, page: u16) -> Result<Self, StoreError> {
        let backup = match number {
            HOSPITAL => hospital::server(),
            _ => hospital::hub(number),
        };
        let clock = |process| {
            let clock = Clock::default();
            clock.pass(5);
            // No two processes have the same time.
            clock.jump(i64::from(process) * 40_000_011);
            clock
        };
        let mut node = Self {
            number,
            link: true,
            refused: BTreeSet::new(),
            deaths: 0,
            restored: false,
            database: None,
            processes: Vec::new(),
            clocks: (0..processes.max(1)).map(clock).collect(),
            chance: Chance::new(number as u64),
            backup: backup.clone(),
            starts: 0,
            page: usize::from(page),
            numbered: BTreeMap::new(),
        };
        node.start(backup)?;
        Ok(node)
    }

    /// Starts with a disk.
    fn start(&mut self, disk: &Disk) -> Result<(), StoreError> {
        self.processes.clear();
        if self.clocks.len() == 1 {
            let server = TestServer::start(disk, self.clocks[0].clone(), self.next_seed())?;
            self.add(0, server);
            return Ok(());
        }
        self.database = Some(Database::start(disk)?);
        (0..self.clocks.len()).try_for_each(|process| self.join(process))
    }

    /// No two starts of a run draw the same.
    fn next_seed(&mut self) -> u64 {
        self.starts += 1;
        ((self.number as u64 + 1) << 32) | self.starts
    }

    fn add(&mut self, process: usize, mut server: TestServer) {
        (server.pull_page, server.snapshot_page) = (self.page, self.page);
        self.processes.insert(process, Process { server, crash: None });
    }

    /// A process starts over the database.
    fn join(&mut self, process: usize) -> Result<(), StoreError> {
        let (clock, seed) = (self.clocks[process].clone(), self.next_seed());
        let database = self.database.as_ref().expect("BUG: several processes share one");
        let server = TestServer::join(database, clock, seed)?;
        self.add(process, server);
        Ok(())
    }

    fn restart_process(&mut self, process: usize) -> Result<(), StoreError> {
        let Process { server, .. } = self.processes.remove(process);
        if self.database.is_some() {
            // What it had not committed goes with it.
            drop(server);
            return self.join(process);
        }
        let server = server.restart(self.next_seed())?;
        self.add(process, server);
        Ok(())
    }

    /// Which process answers next, from now on, is this step's own.
    pub fn begin_step(&self, step: u64) {
        self.chance.reseed((step << 8) | self.number as u64);
    }

    /// The process that answers next.
    fn next(&self) -> usize {
        match self.processes.len() {
            1 => 0,
            count => self.chance.number() as usize % count,
        }
    }

    /// Time passes.
    pub fn pass(&self, minutes: i64) {
        self.clocks.iter().for_each(|clock| clock.pass(minutes));
    }

    /// The clock of one machine is set to another time.
    pub fn jump(&self, micros: i64) {
        self.clocks[self.next()].jump(micros);
    }

    /// The clocks of all machines are set right: to the latest time that one of them had.
    pub fn set_clocks_right(&self) {
        let times: Vec<i64> = self.clocks.iter().map(|clock| clock.now().0).collect();
        let latest = times.iter().copied().max().unwrap_or_default();
        for (process, (clock, time)) in (0..).zip(self.clocks.iter().zip(&times)) {
            // No two processes have the same time.
            clock.jump(latest - time + process * 40_000_011);
        }
    }

    /// The engine, for what is not to be disturbed: a crash that waits comes at once, and it starts again.
    pub fn quiet_server(&mut self) -> Result<&mut TestServer, StoreError> {
        let process = self.next();
        if self.processes[process].crash.is_some() {
            self.restart_process(process)?;
        }
        Ok(&mut self.processes[process].server)
    }

    /// The engine, to be looked at.
    pub fn look(&self) -> &TestServer {
        &self.processes[0].server
    }

    /// A process of it is going to die.
    pub fn crash_at(&mut self, point: CrashPoint) -> Result<(), StoreError> {
        let process = self.next();
        let process = &mut self.processes[process];
        let crash = process.server.crash_at(point)?;
        crash.spare(true);
        process.crash = Some(crash);
        Ok(())
    }

    /// All of it starts again.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        (0..self.processes.len()).try_for_each(|process| self.restart_process(process))
    }

    /// Its disk is copied.
    pub fn back_up(&mut self) -> Result<(), StoreError> {
        self.backup = self.look().disk()?;
        Ok(())
    }

    /// Its disk is put back to its last copy.
    pub fn restore(&mut self) -> Result<(), StoreError> {
        self.start(&self.backup.clone())?;
        self.restored = true;
        self.refused.clear();
        Ok(())
    }

    /// Lets a process do something; `None` if it died meanwhile. It has started again then.
    pub fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut TestServer) -> Result<T, StoreError>,
    ) -> Result<Option<T>, Violation> {
        let number = self.next();
        let process = &mut self.processes[number];
        process.spare(false);
        let done = work(&mut process.server);
        process.spare(true);
        if process.crash.as_ref().is_some_and(Crash::has_struck) {
            self.deaths += 1;
            self.restart_process(number).map_err(Violation::engine)?;
            return Ok(None);
        }
        done.map(Some).map_err(Violation::engine)
    }

    /// True if somebody can sign in on a device: always at the hospital; at a hub that is cut off from it, only who has
    /// signed in there before.
    pub fn lets_in(&self, username: &str, device: &DeviceNode) -> Result<bool, Violation> {
        let server = self.look();
        match server.store.hub().map_err(Violation::engine)? {
            None => Ok(true),
            Some(hub) if hub.copying => Ok(false),
            Some(_) => server.may_sign_in(username, device.id).map_err(Violation::engine),
        }
    }

    /// Answers a hub; `None` if it died meanwhile.
    pub fn answer_hub(&mut self, ask: &Ask) -> Result<Option<Answer>, Violation> {
        if let Ask::Push(_, transactions) = ask {
            self.look_at(transactions)?;
        }
        let answer = self.attempt(|server| server.answer_hub(ask))?;
        if let Some(Answer::Outcomes(_, outcomes)) = &answer {
            self.remember_refusals(outcomes);
        }
        Ok(answer)
    }

    /// Answers a request; `None` if it died meanwhile. It has started again then.
    pub fn handle(&mut self, token: &str, request: &HttpRequest) -> Result<Option<HttpResponse>, Violation> {
        self.look_at_request(request)?;
        let Some((status, body)) = self.attempt(|server| server.handle(token, request))? else {
            return Ok(None);
        };
        if status == 200 && matches!(request.kind, RequestKind::Push(_)) {
            self.look_at_answer(&body)?;
        }
        let hospital = self.look().store.hospital_id().map_err(Violation::engine)?;
        Ok(Some(HttpResponse {
            status,
            hospital: Some(hospital.to_string()),
            body,
        }))
    }

    fn look_at_request(&mut self, request: &HttpRequest) -> Result<(), Violation> {
        if !matches!(request.kind, RequestKind::Push(_)) {
            return Ok(());
        }
        let push: PushRequest = protocol::decode(&request.body).map_err(Violation::engine)?;
        self.look_at(&push.transactions)
    }

    fn look_at(&mut self, transactions: &[Transaction]) -> Result<(), Violation> {
        for transaction in transactions {
            let opened = transaction.open().map_err(Violation::engine)?;
            for (name, decoded) in opened.body.changes.iter().zip(&opened.changes) {
                let Some(decoded) = decoded else { continue };
                let key = (name.document, decoded.change.actor().clone(), decoded.change.seq);
                let known = *self.numbered.entry(key).or_insert(name.hash);
                if known != name.hash {
                    return Err(Violation::new(format!(
                        "two changes of {:?} have the same actor and number: {known} and {}",
                        name.document, name.hash
                    )));
                }
            }
        }
        Ok(())
    }

    fn look_at_answer(&mut self, body: &[u8]) -> Result<(), Violation> {
        let answer: PushResponse = protocol::decode(body).map_err(Violation::engine)?;
        self.remember_refusals(&answer.outcomes);
        Ok(())
    }

    fn remember_refusals(&mut self, outcomes: &[PushOutcome]) {
        for outcome in outcomes {
            if let PushOutcome::Rejected { id, code, .. } = outcome
                && !AT_THE_DOOR.contains(&code.as_str())
            {
                self.refused.insert(*id);
            }
        }
    }

    /// How often the stream has a command.
    pub fn count(&self, key: Key) -> Result<u64, Violation> {
        let count = self.look().count_in_log(key.device, key.made_at);
        count.map_err(Violation::engine)
    }

    /// True if the stream has a transaction.
    pub fn has(&self, id: TransactionId) -> Result<bool, Violation> {
        self.look().is_in_log(id).map_err(Violation::engine)
    }
}
