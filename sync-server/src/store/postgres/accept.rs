//! Takes transactions into the stream.
//!
//! ```text
//!  this server   load all ─► judge 1 ─► judge 2 ─► judge 3 ─►          ─► commit
//!  PostgreSQL                           write 1 ─► write 2 ─► write 3 ─►
//! ```
//!
//! Judging takes a processor of this server's, writing one of the database's: a large batch is judged in strides, each while the
//! one before it is written.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
    slice,
    sync::Arc,
    time::Duration,
};

use holdfast_core::{
    checksum::Checksums,
    ids::{DeviceId, Seq, Timestamp, TransactionId},
    ingest::{
        Attempt, Effects, Needs, Rejection, WorkingSet,
        waiting::{Awaited, Due, Unkept, Unmet, Waiter, Waiting, arrived, brought, own_changes},
    },
    protocol::{PushOutcome, encode},
    transaction::{Body, ChangeName},
};
use holdfast_store::server::{Objection, Submission, done_already, id_taken};
use minicbor::bytes::ByteVec;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    PostgresStore, StoreError, error,
    judge::{Judged, job},
    load::load,
    log,
    quarantine::{self, Refused},
    turn::Turn,
    waiting as kept,
    write::{self, Step},
};

/// How many transactions are judged at most while those before them are written, …
const STRIDE: usize = 900;

/// … and how many before the database has something to write.
const FIRST: usize = 300;

/// Fewer are not worth a thread.
const FEW: usize = 32;

/// How often a batch is tried again after a deadlock or a serialization failure.
const ATTEMPTS: u32 = 6;

impl PostgresStore {
    /// Takes transactions in, in order, in one database transaction. An outcome for each; one that is known already gets
    /// the outcome that it had. After an error it is safe to give the same ones again.
    ///
    /// `ingest` lets nothing through that the tables would refuse. Should it all the same, the batch is halved until the
    /// one is found and refused, so that no device waits for ever behind it.
    pub async fn accept(
        &self,
        turn: Turn,
        submissions: &Arc<[Submission]>,
        now: Timestamp,
    ) -> Result<Vec<PushOutcome>, StoreError> {
        let mut turn = Some(turn);
        let mut outcomes = Vec::with_capacity(submissions.len());
        let mut ranges: Vec<Range<usize>> = Vec::new();
        ranges.push(0..submissions.len());
        while let Some(range) = ranges.pop() {
            match self
                .accept_patiently(turn.take(), submissions, range.clone(), now)
                .await
            {
                Ok(more) => outcomes.extend(more),
                Err(error) => match (error::refusal(&error), &submissions[range.clone()]) {
                    (Some(reason), [one]) => outcomes.push(self.refuse(one, reason, now).await?),
                    (Some(_), _) => {
                        let middle = range.start + range.len() / 2;
                        ranges.push(middle..range.end);
                        ranges.push(range.start..middle);
                    }
                    (None, _) => return Err(error),
                },
            }
        }
        Ok(outcomes)
    }

    async fn accept_patiently(
        &self,
        mut turn: Option<Turn>,
        submissions: &Arc<[Submission]>,
        range: Range<usize>,
        now: Timestamp,
    ) -> Result<Vec<PushOutcome>, StoreError> {
        let mut attempt = 0;
        loop {
            match self.accept_once(turn.take(), submissions, range.clone(), now).await {
                Err(error) if error::is_transient(&error) && attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn accept_once(
        &self,
        turn: Option<Turn>,
        submissions: &Arc<[Submission]>,
        range: Range<usize>,
        now: Timestamp,
    ) -> Result<Vec<PushOutcome>, StoreError> {
        let mut turn = match turn {
            Some(turn) => turn,
            None => self.turn().await?,
        };
        let mut batch = Batch::begin(&mut turn, now).await?;
        let outcomes = batch.take(submissions, range).await?;
        batch.finish().await?;
        turn.transaction.commit().await?;
        Ok(outcomes)
    }

    /// Refuses what the tables would not hold, and with it who waited for it.
    async fn refuse(&self, submission: &Submission, reason: String, now: Timestamp) -> Result<PushOutcome, StoreError> {
        tracing::error!(id = %submission.opened.body.id, reason, "BUG: the tables refused what ingest let through");
        let mut turn = self.turn().await?;
        let mut batch = Batch::begin(&mut turn, now).await?;
        let outcome = batch.refuse_with(Cow::Borrowed(submission), "refused_by_tables", reason);
        batch.settle().await?;
        batch.finish().await?;
        turn.transaction.commit().await?;
        Ok(outcome)
    }
}

/// The strides of a batch: a short one, so that the database soon has something to write, and then even ones.
fn strides(batch: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let second = batch.end.min(batch.start + FIRST);
    let count = (batch.end - second).div_ceil(STRIDE).max(1);
    let size = (batch.end - second).div_ceil(count).max(1);
    let rest = (second..batch.end).step_by(size);
    std::iter::once(batch.start..second).chain(rest.map(move |start| start..batch.end.min(start + size)))
}

/// The outcomes of what came before, by id, and the bodies that had them.
type Known = HashMap<Uuid, (PushOutcome, ByteVec)>;

/// A batch on its way into the database.
struct Batch<'a> {
    connection: &'a mut PgConnection,
    now: Timestamp,
    head: Seq,
    checksums: Checksums,
    set: WorkingSet,
    /// Which of the commands that come are in the stream, by what they were first made into. Only its device says what it made
    /// of a command.
    done: HashSet<(DeviceId, TransactionId)>,
    entries: Vec<Entry<'a>>,
    /// How many of the entries are written, or among what is pending.
    written: usize,
    /// What is judged and still to be written.
    pending: Vec<Step>,
    refused: Vec<Refused<'a>>,
    /// The changes of what is refused.
    refused_changes: BTreeSet<ChangeName>,
    waiting: Waiting,
    /// What became of those that waited.
    settled: HashMap<Uuid, PushOutcome>,
}

struct Entry<'a> {
    seq: Seq,
    submission: Cow<'a, Submission>,
}

impl<'a> Batch<'a> {
    async fn begin(turn: &'a mut Turn, now: Timestamp) -> Result<Self, StoreError> {
        let Turn {
            transaction,
            head,
            checksums,
        } = turn;
        let connection: &mut PgConnection = transaction;
        let mut waiting = kept::load(&mut *connection, now).await?;
        waiting.expire(now);
        Ok(Self {
            connection,
            now,
            head: *head,
            checksums: *checksums,
            set: WorkingSet::default(),
            done: HashSet::new(),
            entries: Vec::new(),
            written: 0,
            pending: Vec::new(),
            refused: Vec::new(),
            refused_changes: BTreeSet::new(),
            waiting,
            settled: HashMap::new(),
        })
    }

    async fn take(&mut self, all: &'a Arc<[Submission]>, range: Range<usize>) -> Result<Vec<PushOutcome>, StoreError> {
        let submissions = &all[range.clone()];
        // Asked before anything is settled: what waits is known as waiting, and at the end as what became of it.
        let mut known = self.known(submissions).await?;
        self.settle().await?;
        let new = || submissions.iter().filter(|s| !known.contains_key(&s.opened.body.id.0));
        let mut needs = Needs::default();
        for submission in new() {
            needs.extend(Needs::of(&submission.opened));
        }
        self.load(&needs).await?;
        let mut outcomes = Vec::with_capacity(submissions.len());
        for stride in strides(range.clone()) {
            let judged = stride.start + self.write_and_judge(all, stride.clone(), &known).await?;
            for index in stride {
                let submission = &all[index];
                let outcome = self.outcome(submission, index < judged, &mut known).await?;
                outcomes.push(outcome);
            }
        }
        // What waited for a later one of the batch waits no longer.
        for (submission, outcome) in submissions.iter().zip(&mut outcomes) {
            if let (PushOutcome::Waiting { .. }, Some(since)) =
                (&outcome, self.settled.get(&submission.opened.body.id.0))
            {
                outcome.clone_from(since);
            }
        }
        Ok(outcomes)
    }

    /// Writes what was judged so far, and meanwhile judges those of a stride that need nothing else. Returns how many of it are
    /// accepted, from its first one on.
    async fn write_and_judge(
        &mut self,
        all: &Arc<[Submission]>,
        stride: Range<usize>,
        known: &Known,
    ) -> Result<usize, StoreError> {
        // While something waits, each that is accepted may bring others, which come right after it.
        if self.waiting.load().transactions > 0 {
            return Ok(0);
        }
        let mut names = HashSet::new();
        let is_plain = |s: &&Submission| {
            let body = &s.opened.body;
            let is_new = !known.contains_key(&body.id.0) && !self.is_done(body);
            let is_once = names.insert(body.id) && body.first.is_none_or(|first| names.insert(first));
            s.objection.is_none() && is_new && is_once
        };
        let plain = all[stride.clone()].iter().take_while(is_plain).count();
        if plain < FEW {
            return Ok(0);
        }
        let steps = self.take_steps();
        let (set, head, now) = (std::mem::take(&mut self.set), self.head, self.now);
        let (all, some) = (Arc::clone(all), stride.start..stride.start + plain);
        let judging = tokio::task::spawn_blocking(move || Judged::of(set, &all[some], head, now));
        let (written, judged) = tokio::join!(write::run(self.connection, steps), judging);
        written?;
        let judged = judged.map_err(|ended| StoreError::Thread(ended.to_string()))?;
        self.set = judged.set;
        self.checksums += judged.checksums;
        self.pending = judged.steps;
        Ok(judged.accepted)
    }

    /// What becomes of one. `judged`: it was judged already, and accepted.
    async fn outcome(
        &mut self,
        submission: &'a Submission,
        judged: bool,
        known: &mut Known,
    ) -> Result<PushOutcome, StoreError> {
        let (id, body) = (submission.opened.body.id, &submission.transaction.body);
        let outcome = match known.get(&id.0) {
            Some((outcome, earlier)) if earlier == body => outcome.clone(),
            // It never reached the stream, and its maker must know.
            Some(_) => id_taken(id),
            None => {
                let outcome = if judged {
                    self.written += 1;
                    self.append(Cow::Borrowed(submission))
                } else {
                    self.judge(Cow::Borrowed(submission)).await?
                };
                self.settle().await?;
                known.insert(id.0, (outcome.clone(), body.clone()));
                outcome
            }
        };
        if matches!(outcome, PushOutcome::Rejected { .. }) {
            // What its device made on top of it may have come before.
            let device = submission.opened.body.device;
            self.waiting.refused(device, brought(&submission.opened));
            self.settle().await?;
        }
        Ok(outcome)
    }

    /// The outcomes of those that came before, and their bodies.
    async fn known(&mut self, submissions: &[Submission]) -> Result<Known, StoreError> {
        let ids: Vec<Uuid> = submissions.iter().map(|s| s.opened.body.id.0).collect();
        let mut known = quarantine::outcomes(self.connection, &ids).await?;
        if self.waiting.load().transactions > 0 {
            for (id, body) in kept::bodies(self.connection, &ids).await? {
                let missing = self.waiting.missing(TransactionId(id)).unwrap_or_default() as u64;
                let id = TransactionId(id);
                known.insert(id.0, (PushOutcome::Waiting { id, missing }, body));
            }
        }
        for logged in log::of_commands(self.connection, submissions).await? {
            let (id, seq) = (logged.id, logged.seq);
            self.done.insert((logged.device, logged.first_id));
            known.insert(id.0, (PushOutcome::Accepted { id, seq }, logged.body));
        }
        Ok(known)
    }

    /// True if the stream has the command already, as another transaction.
    fn is_done(&self, body: &Body) -> bool {
        self.done.contains(&(body.device, body.first_id()))
    }

    async fn judge(&mut self, submission: Cow<'a, Submission>) -> Result<PushOutcome, StoreError> {
        if let Some(Objection { code, reason }) = submission.objection.clone() {
            return Ok(self.refuse_with(submission, code, reason));
        }
        if self.is_done(&submission.opened.body) {
            let Objection { code, reason } = done_already();
            return Ok(self.refuse_with(submission, code, reason));
        }
        let job = job(&submission, self.head.next());
        loop {
            match self.set.attempt(&job) {
                Attempt::Load(needs) => self.load(&needs).await?,
                Attempt::Write(effects) => {
                    self.note(*effects);
                    self.write().await?;
                }
                Attempt::Done(Ok(())) => {
                    let awaited = self.waiting.accepted(arrived(&submission.opened));
                    kept::arrived(self.connection, &awaited).await?;
                    return Ok(self.append(submission));
                }
                Attempt::Missing(missing) => return self.wait(submission, missing).await,
                Attempt::Done(Err(rejection)) => return Ok(self.refuse(submission, &rejection)),
            }
        }
    }

    fn append(&mut self, submission: Cow<'a, Submission>) -> PushOutcome {
        self.head = self.head.next();
        let (id, seq) = (submission.opened.body.id, self.head);
        let body = &submission.opened.body;
        self.done.insert((body.device, body.first_id()));
        self.entries.push(Entry { seq, submission });
        PushOutcome::Accepted { id, seq }
    }

    /// Takes in, or refuses, whoever waited for what has just come or was refused; and so on.
    async fn settle(&mut self) -> Result<(), StoreError> {
        while let Some((waiter, due)) = self.waiting.next_due() {
            let submission = kept::take(self.connection, waiter.id).await?;
            let outcome = match due {
                Due::Judge => {
                    self.known(slice::from_ref(&submission)).await?;
                    self.judge(Cow::Owned(submission)).await?
                }
                Due::Refuse(unmet) => self.refuse_for(Cow::Owned(submission), unmet),
            };
            self.settled.insert(waiter.id.0, outcome);
        }
        Ok(())
    }

    async fn wait(
        &mut self,
        submission: Cow<'a, Submission>,
        missing: BTreeSet<Awaited>,
    ) -> Result<PushOutcome, StoreError> {
        let refused = |awaited: &Awaited| match awaited {
            Awaited::Change(name) => self.refused_changes.get(name).copied(),
            Awaited::Row(_) => None,
        };
        let known = missing.iter().find_map(refused);
        let known = match known {
            None => kept::refused(self.connection, &missing).await?,
            known => known,
        };
        if let Some(name) = known {
            return Ok(self.refuse_for(submission, Unmet::refused(name)));
        }
        let (id, count) = (submission.opened.body.id, missing.len() as u64);
        let bytes = encode(&submission.transaction).len();
        let waiter = Waiter::new(&submission.opened, missing, bytes, self.now);
        match self.waiting.add(waiter.clone()) {
            Ok(_) => {
                kept::keep(self.connection, &submission, &waiter).await?;
                Ok(PushOutcome::Waiting { id, missing: count })
            }
            Err(Unkept::Full) => Ok(PushOutcome::Later { id, missing: count }),
            Err(Unkept::Unmet(unmet)) => Ok(self.refuse_for(submission, unmet)),
        }
    }

    fn refuse_for(&mut self, submission: Cow<'a, Submission>, unmet: Unmet) -> PushOutcome {
        let rejection = unmet.rejection(&submission.opened);
        self.refuse(submission, &rejection)
    }

    fn refuse(&mut self, submission: Cow<'a, Submission>, rejection: &Rejection) -> PushOutcome {
        self.refuse_with(submission, rejection.code, rejection.to_string())
    }

    fn refuse_with(&mut self, submission: Cow<'a, Submission>, code: &str, reason: String) -> PushOutcome {
        let opened = &submission.opened;
        self.waiting.refused(opened.body.device, brought(opened));
        self.refused_changes.extend(own_changes(opened));
        let refused = Refused {
            submission,
            code: code.to_owned(),
            reason,
        };
        let outcome = refused.outcome();
        self.refused.push(refused);
        outcome
    }

    /// Loads what is missing. The tables are asked, so they must have what was judged on a thread of its own.
    async fn load(&mut self, needs: &Needs) -> Result<(), StoreError> {
        write::run(self.connection, std::mem::take(&mut self.pending)).await?;
        load(self.connection, &mut self.set, needs).await
    }

    /// These are to be written.
    fn note(&mut self, effects: Effects) {
        self.checksums += effects.checksums;
        self.pending.extend(write::steps(&Arc::new(effects), self.now));
    }

    /// All that is to be written so far.
    fn take_steps(&mut self) -> Vec<Step> {
        let effects = self.set.take_effects();
        self.note(effects);
        let entries: Vec<_> = self.entries[self.written..]
            .iter()
            .map(|entry| (entry.seq, &*entry.submission))
            .collect();
        log::write(&mut self.pending, &entries, self.now);
        self.written = self.entries.len();
        std::mem::take(&mut self.pending)
    }

    /// Writes it.
    async fn write(&mut self) -> Result<(), StoreError> {
        let steps = self.take_steps();
        write::run(self.connection, steps).await
    }

    async fn finish(mut self) -> Result<(), StoreError> {
        self.write().await?;
        quarantine::put(self.connection, &self.refused, self.now).await?;
        kept::refuse(self.connection, &self.refused_changes).await?;
        if self.entries.is_empty() {
            return Ok(());
        }
        // The other servers hear of it when this transaction commits: see `listen`.
        let sql = "UPDATE sync.head SET seq = $1, checksums = $2 RETURNING pg_notify('holdfast_head', seq::text)";
        sqlx::query(sql)
            .bind(self.head.0 as i64)
            .bind(self.checksums.to_bytes().to_vec())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}
