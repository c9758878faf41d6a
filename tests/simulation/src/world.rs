//! The world of a run: it carries out steps, heals in the end, and asks the checks.

mod exchange;
mod heal;
mod hubs;
mod people;

use std::{
    collections::BTreeSet,
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
};

use holdfast_store::{
    StoreError,
    testing::{CrashPoint, take_unneeded},
};

use crate::{
    check::{self, Violation},
    device::DeviceNode,
    hospital::{HUBS, PEOPLE},
    ledger::Ledger,
    network::Network,
    server::ServerNode,
    step::{Run, Step},
    tally::Tally,
    versions::Version,
};

/// The number of the hospital's server.
pub const HOSPITAL: usize = 0;

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
    world.count_deaths();
    Outcome {
        trace: world.trace.finish(),
        tally: world.tally,
        violation,
    }
}

/// See the module.
pub struct World {
    /// The servers. The first is the hospital's: what it has is what all must come to.
    pub servers: Vec<ServerNode>,
    /// The devices.
    pub devices: Vec<DeviceNode>,
    /// What people did.
    pub ledger: Ledger,
    network: Network,
    personal: bool,
    tally: Tally,
    trace: DefaultHasher,
    step: u64,
}

type Done = Result<(), Violation>;

impl World {
    fn new(run: &Run) -> Result<Self, StoreError> {
        let devices = (0..usize::from(run.devices.max(1))).map(DeviceNode::new);
        Ok(Self {
            servers: (0..=usize::from(run.hubs).min(HUBS))
                .map(|number| ServerNode::new(number, if number == HOSPITAL { run.processes } else { 1 }, run.page))
                .collect::<Result<_, _>>()?,
            devices: devices.collect::<Result<_, _>>()?,
            ledger: Ledger::default(),
            network: Network::default(),
            personal: run.personal,
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
            self.trace(&(step, self.hospital().look().store.head().ok()));
        }
        self.heal()?;
        check::all(self)
    }

    /// The hospital's server.
    pub fn hospital(&self) -> &ServerNode {
        &self.servers[HOSPITAL]
    }

    /// The hubs.
    pub fn hubs(&self) -> &[ServerNode] {
        &self.servers[HOSPITAL + 1..]
    }

    fn count_deaths(&mut self) {
        let devices = self.devices.iter().map(|node| node.deaths);
        let servers = self.servers.iter().map(|node| node.deaths);
        self.tally.add_many("devices died", devices.sum());
        self.tally.add_many("servers died", servers.sum());
    }

    fn next_step(&mut self) {
        self.step += 1;
        self.devices.iter().for_each(|device| device.begin_step(self.step));
        self.servers.iter().for_each(|server| server.begin_step(self.step));
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
        if step
            .hub()
            .is_some_and(|hub| hub == 0 || usize::from(hub) >= self.servers.len())
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
                self.devices.iter().for_each(|device| device.clock.pass(minutes.into()));
                self.servers.iter().for_each(|server| server.pass(minutes.into()));
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
                self.servers[HOSPITAL].jump(i64::from(minutes) * 60_000_000 + self.step as i64);
                Ok(())
            }
            Step::Discard { device } => self.discard(device.into()),
            Step::SignOut { device } => self.sign_out(device.into()),
            Step::SignIn { device, person } => self.sign_in(device.into(), usize::from(person) % PEOPLE.len()),
            Step::Newer { pick } => self.other_version(Version::Newer, pick),
            Step::Older { pick } => self.other_version(Version::Older, pick),
            Step::Role { person, role } => self.role(person, role),
            Step::Errand { hub, errand, fate } => self.errand(hub.into(), errand, fate).map(drop),
            Step::SyncHub { hub } => self.sync_hub(hub.into()),
            Step::Link { hub, up } => {
                self.tally.add(if up { "links back" } else { "links lost" });
                self.servers[usize::from(hub)].link = up;
                Ok(())
            }
            Step::Roam { device, server } => {
                self.tally.add("roamings");
                self.devices[usize::from(device)].server = server.into();
                Ok(())
            }
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
            Step::CrashHub { hub, at } => {
                self.tally.add("hub crashes");
                self.servers[usize::from(hub)].crash_at(at)
            }
            Step::RestartHub { hub } => {
                self.tally.add("hub restarts");
                self.network.server_restarted(hub.into());
                self.servers[usize::from(hub)].restart()
            }
            Step::BackupHub { hub } => self.servers[usize::from(hub)].back_up(),
            Step::RestoreHub { hub } => {
                self.tally.add("hubs restored");
                self.network.server_restarted(hub.into());
                self.servers[usize::from(hub)].restore()
            }
            Step::CrashServer { at } => {
                self.tally.add("server crashes");
                self.servers[HOSPITAL].crash_at(at)
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
            Step::BackupServer => self.servers[HOSPITAL].back_up(),
            Step::RestoreServer => {
                self.tally.add("server restored");
                self.network.server_restarted(HOSPITAL);
                self.servers[HOSPITAL].restore()
            }
            Step::EndSessions => {
                self.tally.add("sessions ended");
                self.servers[HOSPITAL].quiet_server()?.forget_sessions()
            }
            Step::Revoke { device } => {
                self.tally.add("devices revoked");
                let device = &mut self.devices[usize::from(device)];
                device.revoked = true;
                let server = self.servers[HOSPITAL].quiet_server()?;
                let now = server.clock.now();
                server.store.revoke_device(device.id, now).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn observe_all(&mut self) -> Done {
        (0..self.devices.len()).try_for_each(|device| self.observe(device))
    }

    /// Enters into the ledger what a device keeps now.
    fn observe(&mut self, device: usize) -> Done {
        let node = &self.devices[device];
        let kept = node.look().kept().map_err(Violation::engine)?;
        let unneeded: BTreeSet<_> = take_unneeded();
        self.ledger.observe(node.id, &kept, &unneeded, &self.servers[HOSPITAL])
    }
}
