//! The stream: taking transactions in, giving them out.
//!
//! ```text
//! submission ──► known? ──► ingest ──► Accepted ──► who waited for it? ──► ingest ──► …
//!                              ├─────► Rejected ──► who waited for it? ──► Rejected …
//!                              └─────► Missing  ──► Waiting or Later
//! ```

use std::collections::{BTreeSet, HashMap};

use holdfast_core::{
    checksum::Checksums,
    document::Place,
    ids::{HubId, Seq, Timestamp, TransactionId},
    ingest::{
        Authority, Job, Needs, Rejection,
        waiting::{Awaited, Due, Unkept, Unmet, Waiter, Waiting, Why, arrived, brought},
    },
    policy::Role,
    protocol::{self, PushOutcome, ScopeChecksum},
    schema::{SCHEMA_VERSION, Schema, Side},
    transaction::{Body, LogEntry, Mark, Opened, Transaction},
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{ServerStore, quarantine, waiting as kept};
use crate::{
    StoreError, checksums,
    hub::{self, relay},
    meta,
    writing::{Undone, Writing},
};

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

/// A page of the stream.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// In stream order; nothing is withheld yet.
    pub entries: Vec<LogEntry>,
    /// The end of the stream.
    pub head: Seq,
    /// The documents' checksums at the end of the stream, if the page reaches it.
    pub checksums: Option<Checksums>,
}

impl Pulled {
    /// What a device of this role must come to, if the page reaches the end of the stream.
    pub fn checksum(&self, role: Role) -> Option<ScopeChecksum> {
        self.checksums.map(|sums| ScopeChecksum {
            sum: sums.visible(role.may_see_restricted()),
            restricted: role.may_see_restricted(),
            schema_version: SCHEMA_VERSION,
        })
    }
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

    /// What comes after a place in the stream: at most `max_entries`, and no more after `max_bytes` are full. After a place
    /// that a hub has not come to, there is nothing.
    pub fn pull(&self, after: Seq, max_entries: usize, max_bytes: usize) -> Result<Pulled, StoreError> {
        // Read first, and together: what is accepted meanwhile is pulled next time.
        let (head, sums) = checksums::at_head(&self.connection)?;
        if after > head && hub::id(&self.connection)?.is_some() {
            // The device was at the hospital's server, and is ahead of the hub.
            return Ok(Pulled {
                entries: Vec::new(),
                head: after,
                checksums: None,
            });
        }
        #[cfg(feature = "testing")]
        let head = match self.remembered.get() {
            Some(remembered) if broken!(EndRemembered) => remembered.min(head),
            _ => head,
        };
        let sql = "SELECT seq, accepted_at, entry FROM sync_log WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query((after.min(head).0 as i64, head.0 as i64, max_entries as i64))?;
        let mut entries = Vec::new();
        let mut bytes = 0;
        while let Some(row) = found.next()? {
            let entry = row.get_ref(2)?.as_blob().map_err(StoreError::corrupt)?;
            bytes += entry.len();
            entries.push(LogEntry {
                seq: Seq(row.get::<_, i64>(0)? as u64),
                accepted_at: Timestamp(row.get(1)?),
                transaction: protocol::decode(entry).map_err(StoreError::corrupt)?,
            });
            if bytes >= max_bytes {
                break;
            }
        }
        if broken!(EntryOvertaken) && entries.len() > 1 {
            entries.remove(entries.len() - 2);
        }
        let reaches_head = entries.last().map_or(after, |last| last.seq) >= head;
        Ok(Pulled {
            entries,
            head,
            checksums: reaches_head.then_some(sums),
        })
    }

    /// The mark of the entry at a place; `None` if there is none.
    pub fn mark(&self, place: Seq) -> Result<Option<Mark>, StoreError> {
        let Some(before) = place.0.checked_sub(1) else {
            return Ok(None);
        };
        let found = self.pull(Seq(before), 1, 1)?;
        let entry = found.entries.first().filter(|entry| entry.seq == place);
        entry.map(LogEntry::mark).transpose().map_err(StoreError::corrupt)
    }

    /// True if the stream has an entry with this mark at a place, or may have: a hub that has not come to the place cannot
    /// tell. If not, this server or the hospital's was put back to a backup.
    pub fn is_in_history(&self, place: Seq, mark: &Mark) -> Result<bool, StoreError> {
        Ok(match self.mark(place)? {
            Some(found) => found == *mark,
            None => place > self.head()? && hub::id(&self.connection)?.is_some(),
        })
    }

    /// The end of the stream; 0 while it is empty.
    pub fn head(&self) -> Result<Seq, StoreError> {
        head(&self.connection)
    }

    /// How many rows a table has; 0 if it is none of the 33.
    pub fn count(&self, table: &str) -> Result<u64, StoreError> {
        let Some(table) = Schema::hospital().table(table) else {
            return Ok(0);
        };
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count: i64 = self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        Ok(count as u64)
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
    taking.load(submissions)?;
    taking.waiting.expire(now);
    taking.settle()?;
    let mut outcomes: Vec<_> = submissions.iter().map(|s| taking.take(s)).collect::<Result<_, _>>()?;
    // What waited for a later one of the batch waits no longer.
    for (submission, outcome) in submissions.iter().zip(&mut outcomes) {
        if let (PushOutcome::Waiting { .. }, Some(since)) = (&outcome, taking.settled.get(&submission.opened.body.id)) {
            outcome.clone_from(since);
        }
    }
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

/// The end of the stream; 0 while it is empty.
pub(crate) fn head(connection: &Connection) -> Result<Seq, StoreError> {
    Ok(Seq(meta::get::<i64>(connection, "head")?.unwrap_or(0) as u64))
}

/// Puts a transaction into the stream's log.
pub(crate) fn log(
    connection: &Connection,
    seq: Seq,
    opened: &Opened,
    accepted_at: Timestamp,
    transaction: &Transaction,
) -> Result<(), StoreError> {
    let (body, seq) = (&opened.body, seq.0 as i64);
    let sql = "INSERT INTO sync_log (seq, id, user, device, time, accepted_at, entry, first_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute((
        seq,
        body.id.0.as_bytes(),
        body.user.to_string(),
        body.device.to_string(),
        body.time.0,
        accepted_at.0,
        protocol::encode(transaction),
        body.first.as_ref().map(|first| first.0.as_bytes()),
    ))?;
    // A deterministic change may come with several transactions; the first in the stream brought it. What a hub relays has
    // the place 0.
    let sql = "INSERT INTO sync_changes (part, row, hash, seq) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE seq = 0";
    let mut insert = connection.prepare_cached(sql)?;
    for change in &body.changes {
        let document = change.document;
        insert.execute((document.part(), document.row.0.as_bytes(), change.hash.0, seq))?;
    }
    Ok(())
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

/// A batch on its way into the stream.
struct Taking<'c> {
    connection: &'c Connection,
    writing: Writing<'c>,
    head: Seq,
    now: Timestamp,
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
            head: head(connection)?,
            now,
            waiting: kept::load(connection, now)?,
            settled: HashMap::new(),
            hub,
        })
    }

    fn finish(self) -> Result<(), StoreError> {
        self.writing.finish()?;
        meta::set(self.connection, "head", self.head.0 as i64)
    }

    /// Loads what the whole batch is known to need.
    fn load(&mut self, submissions: &[Submission]) -> Result<(), StoreError> {
        let mut needs = Needs::default();
        for submission in submissions {
            needs.extend(Needs::of(&submission.opened));
        }
        self.writing.load(&needs)
    }

    fn take(&mut self, submission: &Submission) -> Result<PushOutcome, StoreError> {
        let id = submission.opened.body.id;
        if let Some(outcome) = self.known(id, &submission.transaction)?
            && !broken!(RepeatJudged)
        {
            if matches!(outcome, PushOutcome::Rejected { .. }) {
                // What its device made on top of it may have come meanwhile.
                self.waiting
                    .refused(submission.opened.body.device, brought(&submission.opened));
                self.settle()?;
            }
            return Ok(outcome);
        }
        let outcome = self.judge(submission)?;
        self.settle()?;
        Ok(outcome)
    }

    fn judge(&mut self, submission: &Submission) -> Result<PushOutcome, StoreError> {
        if let Some(objection) = &submission.objection {
            return self.refuse_with(submission, objection.code, &objection.reason);
        }
        if self.is_done(&submission.opened.body)? {
            let Objection { code, reason } = done_already();
            return self.refuse_with(submission, code, &reason);
        }
        let (id, next) = (submission.opened.body.id, self.head.next());
        let job = Job::Ingest {
            opened: &submission.opened,
            place: self.hub.map_or(Place::Stream(next), |_| Place::Pending),
            authority: Authority::Judge {
                role: submission.role,
                import: submission.import,
            },
        };
        match self.writing.carry_out(&job)? {
            Ok(()) => {
                let outcome = if let Some(hub) = self.hub {
                    relay::keep(self.connection, submission, self.now)?;
                    if broken!(RelayedAsAccepted) {
                        return Ok(PushOutcome::Accepted { id, seq: next });
                    }
                    PushOutcome::Relayed { id, hub }
                } else {
                    self.head = next;
                    log(
                        self.connection,
                        next,
                        &submission.opened,
                        self.now,
                        &submission.transaction,
                    )?;
                    PushOutcome::Accepted { id, seq: next }
                };
                let awaited = self.waiting.accepted(arrived(&submission.opened));
                kept::arrived(self.connection, &awaited)?;
                Ok(outcome)
            }
            Err(Undone::Missing(missing)) => self.wait(submission, missing),
            Err(Undone::Rejected(rejection)) => self.refuse(submission, &rejection),
        }
    }

    /// True if the stream has the command already, as another transaction. Only its device says what it made of a command.
    fn is_done(&self, body: &Body) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM sync_log WHERE (first_id = ?1 OR id = ?1) AND device = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.exists((body.first_id().0.as_bytes(), body.device.to_string()))?)
    }

    /// Takes in, or refuses, whoever waited for what has just come or was refused; and so on.
    fn settle(&mut self) -> Result<(), StoreError> {
        while let Some((waiter, due)) = self.waiting.next_due() {
            let submission = kept::take(self.connection, waiter.id)?;
            let outcome = match due {
                Due::Judge => self.judge(&submission)?,
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

    /// What became of a transaction that came before.
    fn known(&self, id: TransactionId, transaction: &Transaction) -> Result<Option<PushOutcome>, StoreError> {
        let Some((outcome, entry)) = self.find(id)? else {
            return Ok(None);
        };
        let entry: Transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
        Ok(Some(if entry.body == transaction.body {
            outcome
        } else {
            id_taken(id)
        }))
    }

    /// What became of the transaction with this id, and itself as it came.
    fn find(&self, id: TransactionId) -> Result<Option<(PushOutcome, Vec<u8>)>, StoreError> {
        let sql = "SELECT seq, entry FROM sync_log WHERE id = ?1";
        let logged: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached(sql)?
            .query_row([id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((seq, entry)) = logged {
            let seq = Seq(seq as u64);
            return Ok(Some((PushOutcome::Accepted { id, seq }, entry)));
        }
        if let Some(hub) = self.hub
            && let Some(entry) = relay::entry(self.connection, id)?
        {
            return Ok(Some((PushOutcome::Relayed { id, hub }, entry)));
        }
        if let Some((code, reason, entry)) = quarantine::verdict(self.connection, id)? {
            return Ok(Some((PushOutcome::Rejected { id, code, reason }, entry)));
        }
        let Some(missing) = self.waiting.missing(id) else {
            return Ok(None);
        };
        let missing = missing as u64;
        let entry = kept::entry(self.connection, id)?;
        Ok(entry.map(|entry| (PushOutcome::Waiting { id, missing }, entry)))
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
