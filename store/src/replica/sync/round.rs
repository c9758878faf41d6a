//! One round of sync, from waking to being in step. Kept in memory only: after a restart a new round begins.

use holdfast_core::ids::{Timestamp, TransactionId};

use crate::replica::ConnectionState;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::replica) struct Round {
    awake: bool,
    contact: Contact,
    /// There may be more to pull.
    pub pull: bool,
    /// Another server answered than in the round before: once is enough.
    pub switched: bool,
    /// How many transactions a push carries, after a larger one was refused as a whole.
    pub at_once: Option<usize>,
    /// What the last push carried that was never sent before.
    pub first_sent: Vec<TransactionId>,
    /// When the stored documents were last counted, for their checksum.
    pub counted: Option<Timestamp>,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

/// How the last exchange went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Contact {
    /// There was none yet.
    #[default]
    None,
    /// It failed.
    Lost,
    /// It succeeded.
    Good,
    /// The server wants a new sign-in.
    SignedOut,
}

impl Round {
    pub fn wake(&mut self) {
        self.awake = true;
        self.pull = true;
        self.switched = false;
    }

    pub fn goes_on(&self) -> bool {
        self.awake && self.contact != Contact::SignedOut
    }

    /// True if the last exchange succeeded.
    pub fn is_reachable(&self) -> bool {
        self.contact == Contact::Good
    }

    /// All is exchanged.
    pub fn complete(&mut self) {
        self.awake = false;
    }

    /// An answer came and made sense.
    pub fn answered(&mut self) {
        self.contact = Contact::Good;
        self.problem = None;
    }

    pub fn fail(&mut self, problem: String) {
        self.awake = false;
        self.contact = Contact::Lost;
        self.problem = Some(problem);
    }

    /// The server wants a new sign-in.
    pub fn sign_out(&mut self, problem: String) {
        self.fail(problem);
        self.contact = Contact::SignedOut;
    }

    /// There is one.
    pub fn signed_in(&mut self) {
        self.answered();
        self.wake();
    }

    pub fn state(&self) -> ConnectionState {
        match self.contact {
            Contact::SignedOut => ConnectionState::SignedOut,
            Contact::None | Contact::Good if self.awake => ConnectionState::Syncing,
            Contact::None | Contact::Lost => ConnectionState::Offline,
            Contact::Good => ConnectionState::Online,
        }
    }
}
