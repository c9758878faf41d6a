//! Commits pushes together: one task writes, and what came in while it wrote, or waited for other servers on the same
//! database, goes into the next database transaction.
//!
//! ```text
//! push ─┐                                        ┌─► outcomes to each
//! push ─┼─► bounded queue ─► its turn ─► batch ──┤
//! push ─┘                                        └─► head ─► live channels
//! ```

use std::sync::Arc;

use holdfast_core::{
    ids::{DeviceId, Seq},
    protocol::PushOutcome,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    places::{Place, Places, Room},
    store::{Store, StoreError, Submission, Turn, now},
    upstream::Link,
};

/// How many transactions go into one database transaction, unless a single push has more.
const BATCH: usize = 2_000;

/// Where pushes wait to be committed. Cheap to clone.
#[derive(Clone)]
pub struct Committer {
    queue: mpsc::Sender<Push>,
    places: Places,
}

struct Push {
    submissions: Vec<Submission>,
    answer: oneshot::Sender<Result<Vec<PushOutcome>, CommitError>>,
    _place: Place,
}

/// Why a push was not committed. It is safe to send it again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// The store failed.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// The server is going down.
    #[error("the server is shutting down")]
    Closed,
}

impl Committer {
    /// Starts the task that writes. It ends when all clones of the committer are gone. `head` is told of what it wrote.
    /// `room` is for pushes under way; what comes on top is told to come back later.
    /// On a ward's hub, whose `link` is given, pushes are not taken into the stream but passed on.
    pub fn start(
        store: Store,
        link: Option<Arc<Link>>,
        room: Room,
        head: watch::Sender<Seq>,
    ) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(room.all);
        let places = Places::new(room);
        let task = tokio::spawn(run(Destination { store, link }, waiting, head));
        (Self { queue, places }, task)
    }

    /// A place in the queue for a push of this device, if one is free; taken before the push is read.
    pub fn place(&self, device: DeviceId) -> Option<Place> {
        self.places.take(device)
    }

    /// Commits transactions together with others' and returns what became of each.
    pub async fn commit(&self, place: Place, submissions: Vec<Submission>) -> Result<Vec<PushOutcome>, CommitError> {
        let (answer, answered) = oneshot::channel();
        let push = Push {
            submissions,
            answer,
            _place: place,
        };
        self.queue.send(push).await.map_err(|_| CommitError::Closed)?;
        answered.await.map_err(|_| CommitError::Closed)?
    }
}

/// Where pushes go.
#[derive(Clone)]
struct Destination {
    store: Store,
    link: Option<Arc<Link>>,
}

impl Destination {
    async fn take(&self, turn: Turn, submissions: Arc<[Submission]>) -> Result<Vec<PushOutcome>, StoreError> {
        match &self.link {
            None => self.store.accept_in(turn, submissions, now()).await,
            Some(link) => link.store().relay(submissions, now()).await,
        }
    }

    /// Tells the live channels of what is relayed, and has it passed on.
    fn tell(&self, head: &watch::Sender<Seq>, outcomes: &[PushOutcome]) {
        let relayed = outcomes.iter().any(|o| matches!(o, PushOutcome::Relayed { .. }));
        if let Some(link) = self.link.as_ref().filter(|_| relayed) {
            head.send_modify(|_| ());
            link.push_soon();
        }
    }
}

async fn run(to: Destination, mut waiting: mpsc::Receiver<Push>, head: watch::Sender<Seq>) {
    let mut kept = None;
    // Something may have waited since before the start.
    watch_waiting(&to.store, &[], &head, &mut kept).await;
    while let Some(first) = waiting.recv().await {
        let turn = to.store.turn().await;
        let mut pushes = vec![first];
        let mut size = pushes[0].submissions.len();
        while size < BATCH {
            let Ok(next) = waiting.try_recv() else { break };
            size += next.submissions.len();
            pushes.push(next);
        }
        commit(&to, turn, pushes, &head, &mut kept).await;
    }
}

async fn commit(
    to: &Destination,
    turn: Result<Turn, StoreError>,
    mut pushes: Vec<Push>,
    head: &watch::Sender<Seq>,
    kept: &mut Option<u64>,
) {
    let sizes: Vec<usize> = pushes.iter().map(|push| push.submissions.len()).collect();
    let all: Vec<Submission> = pushes
        .iter_mut()
        .flat_map(|push| std::mem::take(&mut push.submissions))
        .collect();
    let taken = match turn {
        Ok(turn) => accept(to, turn, all.into()).await,
        Err(error) => Err(error),
    };
    match taken {
        Ok(outcomes) => {
            tell(head, &outcomes);
            to.tell(head, &outcomes);
            watch_waiting(&to.store, &outcomes, head, kept).await;
            let mut outcomes = outcomes.into_iter();
            for (push, size) in pushes.into_iter().zip(sizes) {
                // Whoever hung up asks again and gets the same outcomes.
                push.answer.send(Ok(outcomes.by_ref().take(size).collect())).ok();
            }
        }
        Err(error) => {
            let error = CommitError::Store(Arc::new(error));
            for push in pushes {
                push.answer.send(Err(error.clone())).ok();
            }
        }
    }
}

/// Accepts a batch. Should one transaction bring the engine to panic, the others are taken without it, so that no device
/// waits for ever behind another's.
async fn accept(to: &Destination, turn: Turn, submissions: Arc<[Submission]>) -> Result<Vec<PushOutcome>, StoreError> {
    match accept_guarded(to, turn, Arc::clone(&submissions)).await {
        Err(StoreError::Thread(_)) if submissions.len() > 1 => {}
        Err(StoreError::Thread(_)) => return Ok(submissions.iter().map(unreadable).collect()),
        other => return other,
    }
    let mut outcomes = Vec::with_capacity(submissions.len());
    for submission in submissions.iter() {
        let alone = Arc::from([submission.clone()]);
        match accept_guarded(to, to.store.turn().await?, alone).await {
            Err(StoreError::Thread(_)) => outcomes.push(unreadable(submission)),
            other => outcomes.extend(other?),
        }
    }
    Ok(outcomes)
}

/// A panic ends the task, its database transaction is rolled back, and here it is an error.
async fn accept_guarded(
    to: &Destination,
    turn: Turn,
    submissions: Arc<[Submission]>,
) -> Result<Vec<PushOutcome>, StoreError> {
    let to = to.clone();
    match tokio::spawn(async move { to.take(turn, submissions).await }).await {
        Ok(result) => result,
        Err(ended) => Err(StoreError::Thread(ended.to_string())),
    }
}

fn unreadable(submission: &Submission) -> PushOutcome {
    let id = submission.opened.body.id;
    tracing::error!(%id, device = %submission.opened.body.device, "BUG: a transaction brought the engine to panic");
    PushOutcome::Rejected {
        id,
        code: "unreadable".to_owned(),
        reason: "The server cannot work out what this would change. It is an error in the server; its log tells more."
            .to_owned(),
    }
}

fn tell(head: &watch::Sender<Seq>, outcomes: &[PushOutcome]) {
    let newest = outcomes.iter().filter_map(|outcome| match outcome {
        PushOutcome::Accepted { seq, .. } => Some(*seq),
        PushOutcome::Rejected { .. }
        | PushOutcome::Waiting { .. }
        | PushOutcome::Later { .. }
        | PushOutcome::Relayed { .. } => None,
    });
    if let Some(newest) = newest.max() {
        advance(head, newest);
    }
}

/// Counts what waits for what it builds on, while something does: says so in the log when the number changes, and tells the
/// live channels of what came in after waiting.
async fn watch_waiting(store: &Store, outcomes: &[PushOutcome], head: &watch::Sender<Seq>, kept: &mut Option<u64>) {
    let is_waiting = |o: &PushOutcome| matches!(o, PushOutcome::Waiting { .. } | PushOutcome::Later { .. });
    if *kept == Some(0) && !outcomes.iter().any(is_waiting) {
        return;
    }
    let (count, newest) = match tokio::try_join!(store.waiting(), store.head()) {
        Ok((count, newest)) => (count, newest),
        // Counted again after the next push.
        Err(error) => {
            *kept = None;
            return tracing::warn!(%error, "what waits cannot be counted");
        }
    };
    advance(head, newest);
    if kept.unwrap_or(0) != count.transactions {
        let since = count.since.map(|since| since.to_string());
        tracing::info!(
            waiting = count.transactions,
            since,
            "transactions wait for changes that they build on"
        );
    }
    let no_room = outcomes
        .iter()
        .filter(|o| matches!(o, PushOutcome::Later { .. }))
        .count();
    if no_room > 0 {
        tracing::warn!(
            no_room,
            "no room for transactions that would have to wait: their devices send them again"
        );
    }
    *kept = Some(count.transactions);
}

/// Tells the live channels, if the stream has moved.
pub fn advance(head: &watch::Sender<Seq>, newest: Seq) {
    head.send_if_modified(|known| {
        let moved = newest > *known;
        *known = newest.max(*known);
        moved
    });
}
