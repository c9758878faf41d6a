//! What the rest of a hub sees of its link: how it stands, and ways to ask for something.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use holdfast_core::ids::Timestamp;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{Forwarded, HubClient, LinkError};
use crate::store::HubStore;

/// How long a request waits for the hospital's server to say something new.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the link stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contact {
    /// It has not been tried since the start.
    Untried,
    /// The last exchange went well.
    Up,
    /// It did not, since then and for this reason.
    Down {
        /// Since when.
        since: Timestamp,
        /// Why, for people.
        problem: String,
    },
    /// The hospital's server takes nothing from this hub any more.
    LockedOut,
}

/// What is known of the link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// How it stands.
    pub contact: Contact,
    /// The hub's copy of the stream has reached its end once: devices may be served.
    pub complete: bool,
    /// When something was last exchanged; `None` if not since the start.
    pub last: Option<Timestamp>,
    /// The last request to look who may sign in that was answered: see [`Wishes::access`].
    pub(super) refreshed: u64,
}

/// A hub's link to the hospital's server.
pub struct Link {
    pub(super) client: HubClient,
    pub(super) store: HubStore,
    pub(super) hospital: Uuid,
    pub(super) state: watch::Sender<State>,
    pub(super) wishes: Wishes,
}

/// What somebody wants of the next round.
#[derive(Default)]
pub(super) struct Wishes {
    pub(super) something: Notify,
    /// Counts the requests to look who may sign in.
    pub(super) access: AtomicU64,
    pub(super) pull: AtomicBool,
}

impl Link {
    pub(super) fn new(client: HubClient, store: HubStore, hospital: Uuid, complete: bool) -> Arc<Self> {
        let state = State {
            contact: Contact::Untried,
            complete,
            last: None,
            refreshed: 0,
        };
        Arc::new(Self {
            client,
            store,
            hospital,
            state: watch::Sender::new(state),
            wishes: Wishes::default(),
        })
    }

    /// How it stands.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// The hub's store.
    pub fn store(&self) -> &HubStore {
        &self.store
    }

    /// Something is to be passed on.
    pub fn push_soon(&self) {
        self.wishes.something.notify_one();
    }

    /// The stream has moved at the hospital's server.
    pub(super) fn pull_soon(&self) {
        self.wishes.pull.store(true, Ordering::Relaxed);
        self.wishes.something.notify_one();
    }

    /// Has who may sign in, and the stream, brought up to date. False if that cannot be done now.
    pub async fn refresh(&self) -> bool {
        if !self.may_answer() {
            return false;
        }
        let mut state = self.state.subscribe();
        let request = self.wishes.access.fetch_add(1, Ordering::SeqCst) + 1;
        self.pull_soon();
        let done = state.wait_for(|state| state.refreshed >= request);
        tokio::time::timeout(PATIENCE, done)
            .await
            .is_ok_and(|done| done.is_ok())
    }

    /// False while the hospital's server is known to be away.
    fn may_answer(&self) -> bool {
        matches!(self.state.borrow().contact, Contact::Up | Contact::Untried)
    }

    /// Passes a sign-in on. An error means that nobody answered who could say yes or no.
    pub async fn sign_in(&self, request: Vec<u8>) -> Result<Forwarded, LinkError> {
        if !self.may_answer() {
            return Err(LinkError::Unreachable("the link is down".to_owned()));
        }
        let (client, hospital) = (self.client.clone(), self.hospital);
        on_thread(move || client.sign_in(hospital, &request)).await
    }
}

/// Runs what blocks on a thread of its own, which nobody waits for when the hub goes down.
pub(super) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LinkError> + Send + 'static,
) -> Result<T, LinkError> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("upstream".to_owned())
        .spawn(move || answer.send(work()).ok())
        .map_err(|e| LinkError::Unreachable(format!("no thread for a request: {e}")))?;
    answered
        .await
        .map_err(|_| LinkError::Unreachable("the request's thread ended".to_owned()))?
}
