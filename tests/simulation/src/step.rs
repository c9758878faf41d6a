//! What happens in a run, as data. A step names devices by number and draws its details from its own `pick`, so that it
//! means something whatever stands before it.

use holdfast_store::testing::CrashPoint;

use crate::{work::Work, world::HOSPITAL};

/// A run. What is left out of one that is pasted into a test is as in [`Run::default`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// How many devices there are.
    pub devices: u8,
    /// How many entries and documents a page has.
    pub page: u16,
    /// How many hubs there are, at most [`crate::HUBS`]. In steps they are numbered from 1.
    pub hubs: u8,
    /// How many processes the hospital's server is, over one database. Each request goes to any of them, and each dies alone.
    pub processes: u8,
    /// Each store is one person's, as in browsers: nobody else signs in on it.
    pub personal: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            devices: 1,
            page: 20,
            hubs: 0,
            processes: 1,
            personal: false,
            steps: Vec::new(),
        }
    }
}

/// Something that happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// A person gives a command.
    Do {
        /// Where.
        device: u8,
        /// What.
        work: Work,
        /// With which details.
        pick: u32,
    },
    /// A device sends its next request.
    Exchange {
        /// Which device.
        device: u8,
        /// What becomes of request and answer.
        fate: Fate,
    },
    /// A device exchanges all there is.
    Sync {
        /// Which device.
        device: u8,
    },
    /// What was delayed arrives.
    Arrive {
        /// Which of the messages under way.
        message: u8,
    },
    /// A device loses its line, or has it again.
    Line {
        /// Which device.
        device: u8,
        /// It has it.
        up: bool,
    },
    /// Time passes everywhere.
    Pass {
        /// So much.
        minutes: u16,
    },
    /// A device's clock is set to another time.
    Clock {
        /// Which device.
        device: u8,
        /// On, or back.
        minutes: i32,
    },
    /// The clock of the server, or of one of its processes, is set to another time.
    ServerClock {
        /// On, or back.
        minutes: i32,
    },
    /// A device is going to die while it writes.
    Crash {
        /// Which device.
        device: u8,
        /// Where.
        at: CrashPoint,
    },
    /// The server, or one of its processes, is going to die while it writes.
    CrashServer {
        /// Where.
        at: CrashPoint,
    },
    /// A device is switched off and on.
    Restart {
        /// Which device.
        device: u8,
    },
    /// A device's disk is copied.
    Backup {
        /// Which device.
        device: u8,
    },
    /// A device's disk is put back to its last copy.
    Restore {
        /// Which device.
        device: u8,
    },
    /// The server's disk is copied.
    BackupServer,
    /// The server's disk is put back to its last copy.
    RestoreServer,
    /// The person on a device leaves.
    SignOut {
        /// Which device.
        device: u8,
    },
    /// A person gives up what was refused first.
    Discard {
        /// Where.
        device: u8,
    },
    /// A person signs in on a device.
    SignIn {
        /// Which device.
        device: u8,
        /// Who.
        person: u8,
    },
    /// The office gives somebody another role.
    Role {
        /// Who.
        person: u8,
        /// Which, as `users.role` has it.
        role: &'static str,
    },
    /// The server ends all sessions.
    EndSessions,
    /// A device is locked out.
    Revoke {
        /// Which device.
        device: u8,
    },
    /// A device goes where another server answers it.
    Roam {
        /// Which device.
        device: u8,
        /// The hospital's is 0, then come the hubs.
        server: u8,
    },
    /// A hub sends a request to the hospital's server.
    Errand {
        /// Which hub.
        hub: u8,
        /// What it asks.
        errand: Errand,
        /// What becomes of request and answer.
        fate: Fate,
    },
    /// A hub exchanges all there is.
    SyncHub {
        /// Which hub.
        hub: u8,
    },
    /// A hub loses its link to the hospital, or has it again.
    Link {
        /// Which hub.
        hub: u8,
        /// It has it.
        up: bool,
    },
    /// A hub is going to die while it writes.
    CrashHub {
        /// Which hub.
        hub: u8,
        /// Where.
        at: CrashPoint,
    },
    /// A hub is switched off and on.
    RestartHub {
        /// Which hub.
        hub: u8,
    },
    /// A hub's disk is copied.
    BackupHub {
        /// Which hub.
        hub: u8,
    },
    /// A hub's disk is put back to its last copy.
    RestoreHub {
        /// Which hub.
        hub: u8,
    },
    /// A device of a newer version writes a column that nobody else knows.
    Newer {
        /// With which details.
        pick: u32,
    },
    /// A device of an older version, which knows fewer columns than all others, writes to a row.
    Older {
        /// With which details.
        pick: u32,
    },
}

/// What a hub asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Errand {
    /// Who may sign in where.
    Access,
    /// The next page of the stream.
    Page,
    /// To take what it relays.
    Push,
}

/// What becomes of a request and its answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// Both arrive.
    Arrives,
    /// The request does not arrive.
    RequestLost,
    /// The answer does not arrive.
    AnswerLost,
    /// Only so many of a thousand parts of the answer arrive.
    AnswerCut(u16),
    /// The answer arrives twice.
    AnswerTwice,
    /// The request arrives twice; the second answer is the one that the device gets.
    RequestTwice,
    /// The request arrives when the device has given up waiting.
    RequestLate,
    /// The answer arrives when the device has given up waiting.
    AnswerLate,
}

impl Step {
    /// The device it is about.
    pub fn device(&self) -> Option<u8> {
        let mut copy = *self;
        copy.device_mut().copied()
    }

    /// The hub it is about.
    pub fn hub(&self) -> Option<u8> {
        match *self {
            Self::Roam { server, .. } if usize::from(server) != HOSPITAL => Some(server),
            Self::Errand { hub, .. }
            | Self::SyncHub { hub }
            | Self::Link { hub, .. }
            | Self::CrashHub { hub, .. }
            | Self::RestartHub { hub }
            | Self::BackupHub { hub }
            | Self::RestoreHub { hub } => Some(hub),
            _ => None,
        }
    }

    fn device_mut(&mut self) -> Option<&mut u8> {
        match self {
            Self::Do { device, .. }
            | Self::Exchange { device, .. }
            | Self::Sync { device }
            | Self::Line { device, .. }
            | Self::Clock { device, .. }
            | Self::Crash { device, .. }
            | Self::Restart { device }
            | Self::Backup { device }
            | Self::Restore { device }
            | Self::SignOut { device }
            | Self::Discard { device }
            | Self::SignIn { device, .. }
            | Self::Roam { device, .. }
            | Self::Revoke { device } => Some(device),
            _ => None,
        }
    }

    /// The same where one device is not there: those behind it have moved up.
    #[must_use]
    pub fn moved_up(mut self, gone: u8) -> Self {
        if let Some(device) = self.device_mut()
            && *device > gone
        {
            *device -= 1;
        }
        self
    }
}
