//! Commits pushes together: one task writes, and what came in while it wrote, or waited for other servers on the same
//! database, goes into the next database transaction.
//!
//! ```text
//! push ─┐                                                               ┌─► outcomes to each
//! push ─┼─► bounded queue ─► its turn ─► batch ─► committed ─► durable ─┤
//! push ─┘                        ▲                    │                 └─► head ─► live channels
//!                                └──── the next ──────┘
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
    store::{Committed, Store, StoreError, Submission, Turn, now},
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
    async fn take(&self, turn: Turn, submissions: Arc<[Submission]>) -> Result<Outcomes, StoreError> {
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

/// What became of a batch, once that may be told.
type Outcomes = Committed<Vec<PushOutcome>>;

/// Pushes that were taken in together.
struct Batch {
    pushes: Vec<Push>,
    /// How many transactions each had.
    sizes: Vec<usize>,
    taken: Result<Outcomes, StoreError>,
    /// Freed when all are answered: that takes a while, too.
    _submissions: Arc<[Submission]>,
}

async fn run(to: Destination, mut waiting: mpsc::Receiver<Push>, head: watch::Sender<Seq>) {
    let (committed, batches) = mpsc::channel(1);
    let answering = tokio::spawn(answer_all(to.clone(), batches, head));
    while let Some(first) = waiting.recv().await {
        let turn = to.store.turn().await;
        let mut pushes = vec![first];
        let mut size = pushes[0].submissions.len();
        while size < BATCH {
            let Ok(next) = waiting.try_recv() else { break };
            size += next.submissions.len();
            pushes.push(next);
        }
        if committed.send(commit(&to, turn, pushes).await).await.is_err() {
            break;
        }
    }
    drop(committed);
    if let Err(ended) = answering.await {
        tracing::error!(%ended, "BUG: nobody answers pushes any more");
    }
}

async fn commit(to: &Destination, turn: Result<Turn, StoreError>, mut pushes: Vec<Push>) -> Batch {
    let sizes: Vec<usize> = pushes.iter().map(|push| push.submissions.len()).collect();
    let all = pushes.iter_mut().flat_map(|push| std::mem::take(&mut push.submissions));
    let submissions: Arc<[Submission]> = all.collect();
    let taken = match turn {
        Ok(turn) => accept(to, turn, Arc::clone(&submissions)).await,
        Err(error) => Err(error),
    };
    Batch {
        pushes,
        sizes,
        taken,
        _submissions: submissions,
    }
}

/// Answers each batch when it is durable, while the next one is written.
async fn answer_all(to: Destination, mut batches: mpsc::Receiver<Batch>, head: watch::Sender<Seq>) {
    let mut kept = None;
    // Something may have waited since before the start.
    watch_waiting(&to.store, &[], &head, &mut kept).await;
    while let Some(batch) = batches.recv().await {
        answer(&to, batch, &head, &mut kept).await;
    }
}

async fn answer(to: &Destination, batch: Batch, head: &watch::Sender<Seq>, kept: &mut Option<u64>) {
    let taken = match batch.taken {
        Ok(committed) => committed.durable().await,
        Err(error) => Err(error),
    };
    match taken {
        Ok(outcomes) => {
            tell(head, &outcomes);
            to.tell(head, &outcomes);
            watch_waiting(&to.store, &outcomes, head, kept).await;
            let mut outcomes = outcomes.into_iter();
            for (push, size) in batch.pushes.into_iter().zip(batch.sizes) {
                // Whoever hung up asks again and gets the same outcomes.
                push.answer.send(Ok(outcomes.by_ref().take(size).collect())).ok();
            }
        }
        Err(error) => {
            let error = CommitError::Store(Arc::new(error));
            for push in batch.pushes {
                push.answer.send(Err(error.clone())).ok();
            }
        }
    }
}

/// Accepts a batch. Should one transaction bring the engine to panic, the others are taken without it, so that no device
/// waits for ever behind another's.
async fn accept(to: &Destination, turn: Turn, submissions: Arc<[Submission]>) -> Result<Outcomes, StoreError> {
    match accept_guarded(to, turn, Arc::clone(&submissions)).await {
        Err(StoreError::Thread(_)) if submissions.len() > 1 => {}
        Err(StoreError::Thread(_)) => return Ok(Committed::durably(submissions.iter().map(unreadable).collect())),
        other => return other,
    }
    let mut outcomes = Vec::with_capacity(submissions.len());
    for submission in submissions.iter() {
        let alone = Arc::from([submission.clone()]);
        match accept_guarded(to, to.store.turn().await?, alone).await {
            Err(StoreError::Thread(_)) => outcomes.push(unreadable(submission)),
            other => outcomes.extend(other?.durable().await?),
        }
    }
    Ok(Committed::durably(outcomes))
}

/// A panic ends the task, its database transaction is rolled back, and here it is an error.
async fn accept_guarded(to: &Destination, turn: Turn, submissions: Arc<[Submission]>) -> Result<Outcomes, StoreError> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::store::SqliteStore;

    const SOON: Duration = Duration::from_millis(100);

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_push_is_answered_when_it_is_on_the_disk_and_the_next_is_written_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let (sqlite, results) = SqliteStore::synced_by_hand(folder.path()).await;
        let (head, _heads) = watch::channel(Seq(0));
        let room = Room { all: 10, each: 10 };
        let (committer, writing) = Committer::start(Store::Sqlite(sqlite.clone()), None, room, head);
        let push = || {
            let committer = committer.clone();
            let place = committer.place(DeviceId(Uuid::nil())).unwrap();
            tokio::spawn(async move { committer.commit(place, Vec::new()).await })
        };
        let mut pushes = Vec::new();
        for commits in 1..=2 {
            pushes.push(push());
            while sqlite.commits() < commits {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        tokio::time::sleep(SOON).await;
        assert!(pushes.iter().all(|push| !push.is_finished()));
        for push in pushes {
            results.send(Ok(())).unwrap();
            assert!(push.await.unwrap().unwrap().is_empty());
        }
        let failing = push();
        results.send(Err(std::io::Error::other("the disk is gone"))).unwrap();
        assert!(matches!(failing.await.unwrap(), Err(CommitError::Store(_))));
        drop(committer);
        writing.await.unwrap();
    }
}
