//! The world of a run: it carries out steps, heals in the end, and asks the checks.

mod exchange;

use std::{
    collections::BTreeSet,
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
};

use holdfast_core::{command::Command, command::CommandError};
use holdfast_store::{
    StoreError,
    replica::{CommandId, Order, ReplicaError},
    testing::{CrashPoint, take_unneeded},
};
use uuid::Uuid;

use crate::{
    check::{self, Violation},
    device::DeviceNode,
    dice::Dice,
    hospital::{self, PEOPLE},
    ledger::Ledger,
    network::Network,
    newer,
    server::ServerNode,
    step::{Fate, Run, Step},
    tally::Tally,
    work::{self, Work},
};

/// A little more than the server keeps what waits for something.
const MONTH: u16 = 32 * 1_440;

/// More requests than this in one go are no progress.
const MAX_REQUESTS: usize = 2_000;

/// So often all exchange everything in the end before it is an error that they have not come to rest.
const MAX_ROUNDS: usize = 12;

/// What became of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// A hash over all that happened.
    pub trace: u64,
    /// What it consisted of.
    pub tally: Tally,
    /// What was wrong, if anything.
    pub violation: Option<Violation>,
}

/// Carries out a run, heals the world, and checks it.
pub fn simulate(run: &Run) -> Outcome {
    take_unneeded();
    let mut world = match World::new(run) {
        Ok(world) => world,
        Err(error) => {
            return Outcome {
                trace: 0,
                tally: Tally::default(),
                violation: Some(Violation::engine(error)),
            };
        }
    };
    let violation = world.live(run).err();
    world.trace(&violation);
    Outcome {
        trace: world.trace.finish(),
        tally: world.tally,
        violation,
    }
}

/// See the module.
pub struct World {
    /// The server.
    pub server: ServerNode,
    /// The devices.
    pub devices: Vec<DeviceNode>,
    /// What people did.
    pub ledger: Ledger,
    network: Network,
    tally: Tally,
    trace: DefaultHasher,
    step: u64,
}

type Done = Result<(), Violation>;

impl World {
    fn new(run: &Run) -> Result<Self, StoreError> {
        let devices = (0..usize::from(run.devices.max(1))).map(DeviceNode::new);
        Ok(Self {
            server: ServerNode::new(run.page)?,
            devices: devices.collect::<Result<_, _>>()?,
            ledger: Ledger::default(),
            network: Network::default(),
            tally: Tally::default(),
            trace: DefaultHasher::new(),
            step: 0,
        })
    }

    fn live(&mut self, run: &Run) -> Done {
        for device in 0..self.devices.len() {
            self.next_step();
            let person = self.devices[device].person;
            self.sign_in(device, person)?;
        }
        for (number, step) in run.steps.iter().enumerate() {
            self.next_step();
            self.step(step).map_err(|violation| violation.at(number, step))?;
            self.trace(&(step, self.server.look().store.head().ok()));
        }
        self.heal()?;
        check::all(self)
    }

    fn next_step(&mut self) {
        self.step += 1;
        self.devices.iter().for_each(|device| device.begin_step(self.step));
    }

    fn trace(&mut self, what: &impl Debug) {
        format!("{what:?}").hash(&mut self.trace);
    }

    fn step(&mut self, step: &Step) -> Done {
        if step
            .device()
            .is_some_and(|device| usize::from(device) >= self.devices.len())
        {
            return Ok(());
        }
        match *step {
            Step::Do { device, work, pick } => self.work(device.into(), work, pick),
            Step::Exchange { device, fate } => self.exchange(device.into(), fate).map(drop),
            Step::Sync { device } => self.sync(device.into()),
            Step::Arrive { message } => self.arrive(message),
            Step::Line { device, up } => {
                self.devices[usize::from(device)].line = up;
                self.tally.add(if up { "lines back" } else { "lines lost" });
                Ok(())
            }
            Step::Pass { minutes } => {
                self.tally.minutes += u64::from(minutes);
                for clock in self
                    .devices
                    .iter()
                    .map(|device| &device.clock)
                    .chain([&self.server.clock])
                {
                    clock.pass(minutes.into());
                }
                Ok(())
            }
            Step::Clock { device, minutes } => {
                self.tally.add("clock jumps");
                // No time comes twice.
                let clock = &self.devices[usize::from(device)].clock;
                clock.jump(i64::from(minutes) * 60_000_000 + self.step as i64);
                Ok(())
            }
            Step::ServerClock { minutes } => {
                self.tally.add("clock jumps");
                // No time comes twice.
                self.server
                    .clock
                    .jump(i64::from(minutes) * 60_000_000 + self.step as i64);
                Ok(())
            }
            Step::Discard { device } => self.discard(device.into()),
            Step::SignOut { device } => self.sign_out(device.into()),
            Step::SignIn { device, person } => self.sign_in(device.into(), usize::from(person) % PEOPLE.len()),
            Step::Newer { pick } => self.newer(pick),
            Step::Role { person, nurse } => self.role(person, nurse),
            _ => self.machine(step).map_err(Violation::engine),
        }?;
        self.observe_all()
    }

    /// What happens to machines.
    fn machine(&mut self, step: &Step) -> Result<(), StoreError> {
        match *step {
            Step::Crash { device, at } => {
                self.tally.add(match at {
                    CrashPoint::BeforeCommit(_) => "crashes before a commit",
                    CrashPoint::AfterCommit(_) => "crashes after a commit",
                    CrashPoint::Inside(_) => "crashes inside",
                });
                self.devices[usize::from(device)].crash_at(at)
            }
            Step::CrashServer { at } => {
                self.tally.add("server crashes");
                self.server.crash_at(at)
            }
            Step::Restart { device } => {
                self.tally.add("restarts");
                self.devices[usize::from(device)].restart()
            }
            Step::Backup { device } => self.devices[usize::from(device)].back_up(),
            Step::Restore { device } => {
                self.tally.add("devices restored");
                let device = &mut self.devices[usize::from(device)];
                self.ledger.excuse(device.id);
                device.restore()
            }
            Step::BackupServer => self.server.back_up(),
            Step::RestoreServer => {
                self.tally.add("server restored");
                self.network.server_restarted();
                self.server.restore()
            }
            Step::EndSessions => {
                self.tally.add("sessions ended");
                self.server.quiet_server()?.forget_sessions();
                Ok(())
            }
            Step::Revoke { device } => {
                self.tally.add("devices revoked");
                let device = &mut self.devices[usize::from(device)];
                device.revoked = true;
                let now = self.server.clock.now();
                self.server
                    .quiet_server()?
                    .store
                    .revoke_device(device.id, now)
                    .map(drop)
            }
            _ => Ok(()),
        }
    }

    /// A person gives a command. If the device dies, the page asks once more for the same when it is back.
    fn work(&mut self, device: usize, work: Work, pick: u32) -> Done {
        let dice = Dice::new(pick.into());
        let node = &mut self.devices[device];
        let Some(found) = node
            .attempt(|device| work::command(work, device, &dice))
            .map_err(Violation::engine)?
        else {
            return Ok(());
        };
        let command = match found {
            Ok(Some(command)) => command,
            Ok(None) => return Ok(()),
            Err(error) => return expected(error),
        };
        let command: Command = serde_json::from_value(command).map_err(Violation::engine)?;
        let order = Order {
            id: CommandId(Uuid::from_u64_pair(dice.number(), dice.number())),
            command,
            mends: None,
        };
        let before = node.look().kept().map_err(Violation::engine)?.len();
        let receipt = loop {
            let done = node
                .attempt(|device| device.replica.run_once(&order))
                .map_err(Violation::engine)?;
            match done {
                None => {}
                Some(Ok(receipt)) => break receipt,
                Some(Err(error)) => return expected(error),
            }
        };
        node.renew(&receipt.changed_tables).map_err(Violation::engine)?;
        let kept = node.look().kept().map_err(Violation::engine)?;
        let waits = kept.iter().any(|one| one.id == receipt.transaction_id);
        if kept.len() != before + usize::from(!receipt.transaction_id.0.is_nil())
            || waits == receipt.transaction_id.0.is_nil()
        {
            return Err(Violation::new(format!(
                "the outbox of device {device} has not exactly what was done: {:?}",
                order.command
            )));
        }
        self.tally.add("transactions");
        self.observe(device)
    }

    fn sign_in(&mut self, device: usize, person: usize) -> Done {
        let node = &mut self.devices[device];
        if !node.line || node.revoked {
            return Ok(());
        }
        self.tally.add("sign-ins");
        let server = self.server.quiet_server().map_err(Violation::engine)?;
        let done = node
            .attempt(|device| device.sign_in(server, PEOPLE[person].0))
            .map_err(Violation::engine)?;
        match done {
            None => {}
            Some(Ok(())) => node.person = person,
            Some(Err(error)) => expected(error)?,
        }
        node.load_page().map_err(Violation::engine)?;
        self.observe(device)
    }

    fn sign_out(&mut self, device: usize) -> Done {
        self.tally.add("sign-outs");
        let node = &mut self.devices[device];
        if let Some(done) = node
            .attempt(|device| device.replica.sign_out())
            .map_err(Violation::engine)?
        {
            done.map_err(Violation::engine)?;
        }
        Ok(())
    }

    /// A person gives up the first refused command. If the device dies, it may be gone or not.
    fn discard(&mut self, device: usize) -> Done {
        let node = &mut self.devices[device];
        let kept = node.look().kept().map_err(Violation::engine)?;
        let Some(refused) = kept.iter().find(|one| one.state == "rejected") else {
            return Ok(());
        };
        self.tally.add("discards");
        self.ledger.excuse_one(node.id, refused.made_at);
        if let Some(done) = node
            .attempt(|device| device.replica.discard(refused.id))
            .map_err(Violation::engine)?
        {
            done.map_err(Violation::engine)?;
        }
        Ok(())
    }

    /// The office gives one of those who work with patients another role. It is not disturbed in this.
    fn role(&mut self, person: u8, nurse: bool) -> Done {
        self.tally.add("role changes");
        let user = hospital::id(0x10 + u128::from(person % 4));
        let server = self.server.quiet_server().map_err(Violation::engine)?;
        server
            .set_role(user, if nurse { "nurse" } else { "cleaner" })
            .map(drop)
            .map_err(Violation::engine)
    }

    fn newer(&mut self, pick: u32) -> Done {
        self.tally.add("newer devices");
        let (token, request) =
            newer::request(self.server.quiet_server().map_err(Violation::engine)?, pick).map_err(Violation::engine)?;
        self.ask(&token, &request).map(drop)
    }

    fn observe_all(&mut self) -> Done {
        (0..self.devices.len()).try_for_each(|device| self.observe(device))
    }

    /// Enters into the ledger what a device keeps now.
    fn observe(&mut self, device: usize) -> Done {
        let node = &self.devices[device];
        let kept = node.look().kept().map_err(Violation::engine)?;
        let unneeded: BTreeSet<_> = take_unneeded();
        let server = &self.server;
        self.ledger.observe(node.id, &kept, &unneeded, |key| {
            server.count(key).is_ok_and(|count| count > 0)
        })
    }

    /// All faults end: what is under way arrives, whoever was signed out signs in, and all exchange everything until nothing
    /// is left.
    fn heal(&mut self) -> Done {
        self.next_step();
        self.server.restart().map_err(Violation::engine)?;
        for node in &mut self.devices {
            node.line = true;
            node.restart().map_err(Violation::engine)?;
        }
        for message in 0..40 {
            self.arrive(message)?;
        }
        let mut head = None;
        for round in 0..MAX_ROUNDS {
            if round == MAX_ROUNDS / 2 && self.server.restored {
                // What builds on what nobody can give back is answered in the end.
                self.step(&Step::Pass { minutes: MONTH })?;
            }
            for device in 0..self.devices.len() {
                self.next_step();
                self.sign_in_again(device)?;
                self.sync(device)?;
            }
            let now = self.server.look().store.head().map_err(Violation::engine)?;
            if head.replace(now) == Some(now) && self.is_quiet()? {
                return self.observe_all();
            }
        }
        Err(check::unrest(self))
    }

    fn sign_in_again(&mut self, device: usize) -> Done {
        let node = &self.devices[device];
        if node.look().replica.token().is_some() && !node.is_signed_out() {
            return Ok(());
        }
        let sees = node.look().sees_restricted().map_err(Violation::engine)?;
        self.sign_in(device, if sees { 5 } else { 0 })
    }

    fn is_quiet(&self) -> Result<bool, Violation> {
        for node in self.devices.iter().filter(|node| !node.revoked) {
            let status = node.look().replica.status().map_err(Violation::engine)?;
            if status.waiting > 0 || status.problem.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the engine refuses in words is no violation; what fails in its store is.
fn expected(error: ReplicaError) -> Done {
    match error {
        ReplicaError::Store(_) | ReplicaError::Command(CommandError::Read(_)) => Err(Violation::engine(error)),
        _ => Ok(()),
    }
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrives => "exchanges",
        Fate::RequestLost => "requests lost",
        Fate::AnswerLost => "answers lost",
        Fate::AnswerCut(_) => "answers cut",
        Fate::AnswerTwice => "answers doubled",
        Fate::RequestTwice => "requests doubled",
        Fate::RequestLate => "requests late",
        Fate::AnswerLate => "answers late",
    }
}
