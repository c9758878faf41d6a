//! Takes transactions into the stream.
//!
//! ```text
//! submission ──► known? ──► ingest ──► Accepted ──► who waited for it? ──► ingest ──► …
//!                              ├─────► Rejected ──► who waited for it? ──► Rejected …
//!                              └─────► Missing  ──► Waiting or Later
//!
//! a thread              judge 1 ─► judge 2 ─► judge 3 ─►
//! this one    load ─► load ─► load ─► write 1 ─► write 2 ─► write 3 ─► commit
//! ```
//!
//! Judging needs no database as long as all is loaded that it asks about: a large batch is judged in strides, each while what the
//! later ones need is loaded, or the one before it is written.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    iter, slice,
    sync::mpsc::{self, Sender},
    thread,
};

use holdfast_core::{
    ids::{DeviceId, HubId, Seq, Timestamp, TransactionId},
    ingest::{
        Needs, Rejection,
        waiting::{Awaited, Due, Unkept, Unmet, Waiter, Waiting, Why, arrived, brought},
    },
    policy::Role,
    protocol::{self, PushOutcome},
    schema::Side,
    transaction::{Body, Opened, Transaction},
};
use minicbor::bytes::ByteVec;
use rusqlite::{Connection, TransactionBehavior};

use super::{
    ServerStore,
    judge::{self, Part, Stride},
    log::{self, head},
    quarantine, waiting as kept,
};
use crate::{
    StoreError,
    hub::{self, relay},
    meta,
    writing::{Undone, Writing},
};

/// Fewer are not worth a thread.
const FEW: usize = 32;

/// For how many is loaded what they need before the thread that judges them begins, or goes on.
const PART: usize = 250;

/// Why nothing is taken of somebody, whatever it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Objection {
    /// Machine-readable.
    pub code: &'static str,
    /// For people.
    pub reason: String,
}

/// A transaction that wants to be in the stream. Its signature has been checked.
#[derive(Clone, Debug)]
pub struct Submission {
    /// As it came.
    pub transaction: Transaction,
    /// The same, opened.
    pub opened: Opened,
    /// The maker's role.
    pub role: Role,
    /// Made by the server's own import.
    pub import: bool,
    /// Its maker may not give it. It is refused for good: the maker may be allowed to tomorrow, and then it must not come as well
    /// as what its device has made of it since.
    pub objection: Option<Objection>,
}

impl ServerStore {
    /// Takes transactions in, all in one database transaction, in order. An outcome for each; one that is known already
    /// gets the outcome that it had. What waited for one of them follows it at once. An error means that nothing was taken.
    pub fn accept(&mut self, submissions: &[Submission], now: Timestamp) -> Result<Vec<PushOutcome>, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if hub::id(&transaction)?.is_some() {
            return Err(StoreError::IsHub);
        }
        #[cfg(feature = "testing")]
        if let Some(remembered) = self.remembered.get()
            && broken!(HeadRemembered)
        {
            meta::set(&transaction, "head", remembered.0 as i64)?;
        }
        let outcomes = take_in(&transaction, submissions, now, None)?;
        #[cfg(feature = "testing")]
        self.remembered.set(Some(head(&transaction)?));
        transaction.commit()?;
        Ok(outcomes)
    }
}

/// Takes transactions in, in order, inside the caller's database transaction: into the stream, or at a `hub` among what it
/// relays. An outcome for each.
pub(crate) fn take_in(
    connection: &Connection,
    submissions: &[Submission],
    now: Timestamp,
    hub: Option<HubId>,
) -> Result<Vec<PushOutcome>, StoreError> {
    let mut taking = Taking::new(connection, now, hub)?;
    if !taking.may_judge_ahead(submissions) {
        taking.load(submissions)?;
    }
    taking.waiting.expire(now);
    taking.settle()?;
    let outcomes = taking.take_all(submissions)?;
    taking.finish()?;
    Ok(outcomes)
}

/// Refuses transactions at a hub, each with a code and a reason, and whoever waits for them.
pub(crate) fn refuse_all(
    connection: &Connection,
    refused: &[(Submission, String, String)],
    now: Timestamp,
    hub: HubId,
) -> Result<(), StoreError> {
    let mut taking = Taking::new(connection, now, Some(hub))?;
    for (submission, code, reason) in refused {
        taking.refuse_with(submission, code, reason)?;
    }
    taking.settle()?;
    taking.finish()
}

/// The outcome of a transaction that has the id of another one.
pub fn id_taken(id: TransactionId) -> PushOutcome {
    PushOutcome::Rejected {
        id,
        code: "id_taken".to_owned(),
        reason: "another transaction has this id already".to_owned(),
    }
}

/// Why a transaction is refused whose command the stream has already.
pub fn done_already() -> Objection {
    Objection {
        code: protocol::DONE_ALREADY,
        reason: "this was done already, by a transaction that its device made of the same command".to_owned(),
    }
}

/// The outcomes of what came before, and the bodies that had them.
type Known = HashMap<TransactionId, (PushOutcome, ByteVec)>;

fn body_of(entry: &[u8]) -> Result<ByteVec, StoreError> {
    let transaction: Transaction = protocol::decode(entry).map_err(StoreError::corrupt)?;
    Ok(transaction.body)
}

/// What some are known to need.
fn needs_of(submissions: &[Submission]) -> Needs {
    let mut needs = Needs::default();
    for submission in submissions {
        needs.extend(Needs::of(&submission.opened));
    }
    needs
}

/// A batch on its way into the stream.
struct Taking<'c> {
    connection: &'c Connection,
    writing: Writing<'c>,
    /// Which of the commands that come are in the stream, by what they were first made into. Only its device says what it made
    /// of a command.
    done: HashSet<(DeviceId, TransactionId)>,
    head: Seq,
    now: Timestamp,
    /// What the batch needs is loaded.
    is_loaded: bool,
    waiting: Waiting,
    /// What became of those that waited.
    settled: HashMap<TransactionId, PushOutcome>,
    /// The hub that takes them; else they go into the stream.
    hub: Option<HubId>,
}

impl<'c> Taking<'c> {
    fn new(connection: &'c Connection, now: Timestamp, hub: Option<HubId>) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            writing: Writing::new(connection, Side::Server, now),
            done: HashSet::new(),
            head: head(connection)?,
            now,
            is_loaded: false,
            waiting: kept::load(connection, now)?,
            settled: HashMap::new(),
            hub,
        })
    }

    fn finish(self) -> Result<(), StoreError> {
        self.writing.finish()?;
        meta::set(self.connection, "head", self.head.0 as i64)
    }

    /// Loads what the whole batch, or the rest of it, is known to need.
    fn load(&mut self, submissions: &[Submission]) -> Result<(), StoreError> {
        self.is_loaded = true;
        self.writing.load(&needs_of(submissions))
    }

    /// While something waits, each that is accepted may bring others, which come right after it.
    fn may_judge_ahead(&self, submissions: &[Submission]) -> bool {
        self.hub.is_none() && self.waiting.load().transactions == 0 && submissions.len() >= FEW
    }

    /// Loads what some need, part by part, for those who judge them meanwhile. Up to the first that asks who references a row:
    /// those before it may, and are not in the tables yet.
    fn load_ahead(&self, submissions: &[Submission], parts: &Sender<Part>) -> Result<(), StoreError> {
        let mut end = 0;
        for some in submissions.chunks(if self.is_loaded { submissions.len() } else { PART }) {
            let needs = if self.is_loaded {
                Needs::default()
            } else {
                needs_of(some)
            };
            if !needs.referrers.is_empty() {
                break;
            }
            end += some.len();
            let loaded = self.writing.load_apart(&needs)?;
            // Whoever judges has stopped at one that is not simply accepted.
            if parts.send(Part { end, loaded }).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn take_all(&mut self, submissions: &[Submission]) -> Result<Vec<PushOutcome>, StoreError> {
        let mut known = self.known(submissions)?;
        let mut outcomes = Vec::with_capacity(submissions.len());
        let mut plain_from = 0;
        while outcomes.len() < submissions.len() {
            if outcomes.len() >= plain_from {
                self.take_plain(&submissions[outcomes.len()..], &mut known, &mut outcomes)?;
                // Where most are not, a thread for each would cost more than it saves.
                plain_from = outcomes.len() + FEW;
            }
            if let Some(next) = submissions.get(outcomes.len()) {
                if !self.is_loaded {
                    self.load(&submissions[outcomes.len()..])?;
                }
                outcomes.push(self.take(next, &mut known)?);
            }
        }
        // What waited for a later one of the batch waits no longer.
        for (submission, outcome) in submissions.iter().zip(&mut outcomes) {
            if let (PushOutcome::Waiting { .. }, Some(since)) = (&outcome, self.settled.get(&submission.opened.body.id))
            {
                outcome.clone_from(since);
            }
        }
        Ok(outcomes)
    }

    /// Takes in the first ones of a batch that need nothing but what can be loaded beforehand: they are judged on a thread of
    /// their own while the rest is loaded and those before them are written.
    fn take_plain(
        &mut self,
        submissions: &[Submission],
        known: &mut Known,
        outcomes: &mut Vec<PushOutcome>,
    ) -> Result<(), StoreError> {
        if !self.may_judge_ahead(submissions) {
            return Ok(());
        }
        let mut names = HashSet::new();
        let is_plain = |s: &&Submission| {
            let body = &s.opened.body;
            let is_new = !known.contains_key(&body.id) && !self.is_done(body);
            let is_once = names.insert(body.id) && body.first.is_none_or(|first| names.insert(first));
            s.objection.is_none() && is_new && is_once
        };
        let plain = &submissions[..submissions.iter().take_while(is_plain).count()];
        if plain.len() < FEW {
            return Ok(());
        }
        self.writing.flush()?;
        let (set, head, before) = (self.writing.take_set(), self.head, outcomes.len());
        let last = plain.len() == submissions.len();
        let (sender, strides) = mpsc::sync_channel(1);
        let (loaded, parts) = mpsc::channel();
        let (written, judged) = thread::scope(|scope| {
            let judging = scope.spawn(move || judge::ahead(set, plain, &parts, last, head, &sender));
            // All is loaded before anything is written.
            let all_loaded = self.load_ahead(plain, &loaded);
            drop(loaded);
            let written = all_loaded.and_then(|()| {
                strides.into_iter().try_for_each(|Stride { range, effects }| {
                    self.writing.write(effects)?;
                    outcomes.extend(self.append(&plain[range])?);
                    Ok(())
                })
            });
            (written, judging.join())
        });
        let set = judged.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.writing.put_set(set);
        let taken = &outcomes[before..];
        // One of those that come after them may be one of them again.
        if taken.len() < submissions.len() {
            known.extend(submissions.iter().zip(taken).map(|(submission, outcome)| {
                let body = submission.transaction.body.clone();
                (submission.opened.body.id, (outcome.clone(), body))
            }));
        }
        written
    }

    /// Puts what was judged into the stream. An outcome for each.
    fn append(&mut self, accepted: &[Submission]) -> Result<Vec<PushOutcome>, StoreError> {
        let places = iter::successors(Some(self.head.next()), |seq| Some(seq.next()));
        let entries = || accepted.iter().zip(places.clone());
        let logged = entries().map(|(s, seq)| (seq, &s.opened, &s.transaction));
        log::log(self.connection, logged, self.now)?;
        let mut outcomes = Vec::with_capacity(accepted.len());
        for (submission, seq) in entries() {
            let body = &submission.opened.body;
            self.head = seq;
            self.done.insert((body.device, body.first_id()));
            outcomes.push(PushOutcome::Accepted { id: body.id, seq });
        }
        Ok(outcomes)
    }

    fn take(&mut self, submission: &Submission, known: &mut Known) -> Result<PushOutcome, StoreError> {
        let (id, body) = (submission.opened.body.id, &submission.transaction.body);
        let outcome = match known.get(&id) {
            Some((outcome, earlier)) if !broken!(RepeatJudged) => {
                let outcome = if earlier == body { outcome.clone() } else { id_taken(id) };
                if matches!(outcome, PushOutcome::Rejected { .. }) {
                    // What its device made on top of it may have come meanwhile.
                    let device = submission.opened.body.device;
                    self.waiting.refused(device, brought(&submission.opened));
                }
                outcome
            }
            _ => {
                let outcome = self.judge(submission)?;
                known.insert(id, (outcome.clone(), body.clone()));
                outcome
            }
        };
        self.settle()?;
        Ok(outcome)
    }

    fn judge(&mut self, submission: &Submission) -> Result<PushOutcome, StoreError> {
        if let Some(objection) = &submission.objection {
            return self.refuse_with(submission, objection.code, &objection.reason);
        }
        if self.is_done(&submission.opened.body) {
            let Objection { code, reason } = done_already();
            return self.refuse_with(submission, code, &reason);
        }
        let (id, next) = (submission.opened.body.id, self.head.next());
        let job = judge::job(submission, next, self.hub);
        match self.writing.carry_out(&job)? {
            Ok(()) => {
                let outcome = if let Some(hub) = self.hub {
                    relay::keep(self.connection, submission, self.now)?;
                    if broken!(RelayedAsAccepted) {
                        return Ok(PushOutcome::Accepted { id, seq: next });
                    }
                    PushOutcome::Relayed { id, hub }
                } else {
                    self.append(slice::from_ref(submission))?.remove(0)
                };
                let awaited = self.waiting.accepted(arrived(&submission.opened));
                kept::arrived(self.connection, &awaited)?;
                Ok(outcome)
            }
            Err(Undone::Missing(missing)) => self.wait(submission, missing),
            Err(Undone::Rejected(rejection)) => self.refuse(submission, &rejection),
        }
    }

    /// True if the stream has the command already, as another transaction.
    fn is_done(&self, body: &Body) -> bool {
        self.done.contains(&(body.device, body.first_id()))
    }

    /// Takes in, or refuses, whoever waited for what has just come or was refused; and so on.
    fn settle(&mut self) -> Result<(), StoreError> {
        while let Some((waiter, due)) = self.waiting.next_due() {
            let submission = kept::take(self.connection, waiter.id)?;
            let outcome = match due {
                Due::Judge => {
                    self.known(slice::from_ref(&submission))?;
                    self.judge(&submission)?
                }
                Due::Refuse(unmet) => self.refuse_for(&submission, unmet)?,
            };
            self.settled.insert(waiter.id, outcome);
        }
        Ok(())
    }

    fn wait(&mut self, submission: &Submission, missing: BTreeSet<Awaited>) -> Result<PushOutcome, StoreError> {
        if let Some(name) = kept::refused(self.connection, &missing)? {
            return self.refuse_for(submission, Unmet::refused(name));
        }
        if let Some(awaited) = missing.iter().copied().find(|a| matches!(a, Awaited::Row(_)))
            && broken!(RowNotAwaited)
        {
            let why = Why::Refused;
            return self.refuse_for(submission, Unmet { awaited, why });
        }
        let id = submission.opened.body.id;
        let count = missing.len() as u64;
        let bytes = protocol::encode(&submission.transaction).len();
        let waiter = Waiter::new(&submission.opened, missing, bytes, self.now);
        match self.waiting.add(waiter.clone()) {
            Ok(_) => {
                kept::keep(self.connection, submission, &waiter)?;
                Ok(PushOutcome::Waiting { id, missing: count })
            }
            Err(Unkept::Full) => Ok(PushOutcome::Later { id, missing: count }),
            Err(Unkept::Unmet(unmet)) => self.refuse_for(submission, unmet),
        }
    }

    /// The outcomes of those that came before, and their bodies.
    fn known(&mut self, submissions: &[Submission]) -> Result<Known, StoreError> {
        let mut known = Known::new();
        let mut waits = Vec::new();
        let mut verdicts = quarantine::Verdicts::new(self.connection)?;
        for id in submissions.iter().map(|submission| submission.opened.body.id) {
            if let Some(missing) = self.waiting.missing(id) {
                waits.push((id, missing as u64));
            }
            if let Some((code, reason, entry)) = verdicts.of(id)? {
                known.insert(id, (PushOutcome::Rejected { id, code, reason }, body_of(&entry)?));
            }
        }
        for (id, missing) in waits {
            if let Some(entry) = kept::entry(self.connection, id)? {
                known.insert(id, (PushOutcome::Waiting { id, missing }, body_of(&entry)?));
            }
        }
        if let Some(hub) = self.hub {
            for id in submissions.iter().map(|submission| submission.opened.body.id) {
                if let Some(entry) = relay::entry(self.connection, id)? {
                    known.insert(id, (PushOutcome::Relayed { id, hub }, body_of(&entry)?));
                }
            }
        }
        for logged in log::of_commands(self.connection, submissions)? {
            let (id, seq) = (logged.id, logged.seq);
            self.done.insert((logged.device, logged.first_id));
            known.insert(id, (PushOutcome::Accepted { id, seq }, logged.body));
        }
        Ok(known)
    }

    fn refuse_for(&mut self, submission: &Submission, unmet: Unmet) -> Result<PushOutcome, StoreError> {
        self.refuse(submission, &unmet.rejection(&submission.opened))
    }

    fn refuse(&mut self, submission: &Submission, rejection: &Rejection) -> Result<PushOutcome, StoreError> {
        self.refuse_with(submission, rejection.code, &rejection.to_string())
    }

    fn refuse_with(&mut self, submission: &Submission, code: &str, reason: &str) -> Result<PushOutcome, StoreError> {
        if !broken!(QuarantineEmpty) {
            quarantine::keep(self.connection, submission, code, reason, self.now)?;
        }
        kept::refuse(self.connection, &submission.opened)?;
        self.waiting
            .refused(submission.opened.body.device, brought(&submission.opened));
        Ok(PushOutcome::Rejected {
            id: submission.opened.body.id,
            code: code.to_owned(),
            reason: reason.to_owned(),
        })
    }
}
