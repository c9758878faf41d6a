//! One round of sync, from waking to being in step. Kept in memory only: after a restart a new round begins.

use crate::replica::ConnectionState;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::replica) struct Round {
    awake: bool,
    signed_out: bool,
    /// The last exchange succeeded.
    pub reachable: bool,
    /// There may be more to pull.
    pub pull: bool,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

impl Round {
    pub fn wake(&mut self) {
        self.awake = true;
        self.pull = true;
    }

    pub fn goes_on(&self) -> bool {
        self.awake && !self.signed_out
    }

    /// All is exchanged.
    pub fn complete(&mut self) {
        self.awake = false;
    }

    /// An answer came and made sense.
    pub fn answered(&mut self) {
        self.reachable = true;
        self.problem = None;
    }

    pub fn fail(&mut self, problem: String) {
        self.awake = false;
        self.reachable = false;
        self.problem = Some(problem);
    }

    /// The server wants a new sign-in.
    pub fn sign_out(&mut self, problem: String) {
        self.fail(problem);
        self.signed_out = true;
    }

    /// There is one.
    pub fn signed_in(&mut self) {
        *self = Self {
            reachable: true,
            ..Self::default()
        };
        self.wake();
    }

    pub fn state(&self) -> ConnectionState {
        match self {
            Self { signed_out: true, .. } => ConnectionState::SignedOut,
            Self { reachable: false, .. } => ConnectionState::Offline,
            Self { awake: true, .. } => ConnectionState::Syncing,
            _ => ConnectionState::Online,
        }
    }
}
