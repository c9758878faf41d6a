//! Takes transactions into the stream.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    ops::Range,
    time::Duration,
};

use holdfast_core::{
    checksum::Checksums,
    document::Place,
    ids::{Seq, Timestamp, TransactionId},
    ingest::{
        Attempt, Authority, Effects, Job, Needs, Rejection, WorkingSet,
        waiting::{Awaited, Due, Unkept, Unmet, Waiter, Waiting, arrived, brought, own_changes},
    },
    protocol::{PushOutcome, decode, encode},
    transaction::{Body, ChangeName, Transaction},
};
use holdfast_store::server::{Objection, Submission, id_taken};
use minicbor::bytes::ByteVec;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::{
    PostgresStore, StoreError, error,
    load::load,
    quarantine::{self, Refused},
    turn::Turn,
    waiting as kept, write,
};

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
        submissions: &[Submission],
        now: Timestamp,
    ) -> Result<Vec<PushOutcome>, StoreError> {
        let mut turn = Some(turn);
        let mut outcomes = Vec::with_capacity(submissions.len());
        let mut ranges: Vec<Range<usize>> = Vec::new();
        ranges.push(0..submissions.len());
        while let Some(range) = ranges.pop() {
            let some = &submissions[range.clone()];
            match self.accept_patiently(turn.take(), some, now).await {
                Ok(more) => outcomes.extend(more),
                Err(error) => match (error::refusal(&error), some) {
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
        submissions: &[Submission],
        now: Timestamp,
    ) -> Result<Vec<PushOutcome>, StoreError> {
        let mut attempt = 0;
        loop {
            match self.accept_once(turn.take(), submissions, now).await {
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
        submissions: &[Submission],
        now: Timestamp,
    ) -> Result<Vec<PushOutcome>, StoreError> {
        let mut turn = match turn {
            Some(turn) => turn,
            None => self.turn().await?,
        };
        let mut batch = Batch::begin(&mut turn, now).await?;
        let outcomes = batch.take(submissions).await?;
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

/// A batch on its way into the database.
struct Batch<'a> {
    connection: &'a mut PgConnection,
    now: Timestamp,
    head: Seq,
    checksums: Checksums,
    set: WorkingSet,
    entries: Vec<Entry<'a>>,
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

impl Entry<'_> {
    fn body(&self) -> &Body {
        &self.submission.opened.body
    }
}

impl<'a> Batch<'a> {
    async fn begin(turn: &'a mut Turn, now: Timestamp) -> Result<Self, StoreError> {
        let Turn {
            transaction,
            head,
            checksums,
        } = turn;
        let connection: &mut PgConnection = transaction;
        let mut waiting = kept::load(&mut *connection).await?;
        waiting.expire(now);
        Ok(Self {
            connection,
            now,
            head: *head,
            checksums: *checksums,
            set: WorkingSet::default(),
            entries: Vec::new(),
            refused: Vec::new(),
            refused_changes: BTreeSet::new(),
            waiting,
            settled: HashMap::new(),
        })
    }

    async fn take(&mut self, submissions: &'a [Submission]) -> Result<Vec<PushOutcome>, StoreError> {
        // Asked before anything is settled: what waits is known as waiting, and at the end as what became of it.
        let mut known = self.known(submissions).await?;
        self.settle().await?;
        let new = || submissions.iter().filter(|s| !known.contains_key(&s.opened.body.id.0));
        let mut needs = Needs::default();
        for submission in new() {
            needs.extend(Needs::of(&submission.opened));
        }
        load(self.connection, &mut self.set, &needs).await?;
        let mut outcomes = Vec::with_capacity(submissions.len());
        for submission in submissions {
            let (id, body) = (submission.opened.body.id, &submission.transaction.body);
            let outcome = match known.get(&id.0) {
                Some((outcome, earlier)) if earlier == body => outcome.clone(),
                // It never reached the stream, and its maker must know.
                Some(_) => id_taken(id),
                None => {
                    let outcome = self.judge(Cow::Borrowed(submission)).await?;
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
            outcomes.push(outcome);
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

    /// The outcomes of those that came before, and their bodies.
    async fn known(&mut self, submissions: &[Submission]) -> Result<HashMap<Uuid, (PushOutcome, ByteVec)>, StoreError> {
        let ids: Vec<Uuid> = submissions.iter().map(|s| s.opened.body.id.0).collect();
        let mut known = quarantine::outcomes(self.connection, &ids).await?;
        if self.waiting.load().transactions > 0 {
            for (id, body) in kept::bodies(self.connection, &ids).await? {
                let missing = self.waiting.missing(TransactionId(id)).unwrap_or_default() as u64;
                let id = TransactionId(id);
                known.insert(id.0, (PushOutcome::Waiting { id, missing }, body));
            }
        }
        let logged = sqlx::query("SELECT id, seq, entry FROM sync.log WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(&mut *self.connection)
            .await?;
        for record in logged {
            let (id, seq): (Uuid, i64) = (record.try_get(0)?, record.try_get(1)?);
            let entry: Transaction =
                decode(record.try_get(2)?).map_err(|_| StoreError::Corrupt("a log entry cannot be read"))?;
            let outcome = PushOutcome::Accepted {
                id: TransactionId(id),
                seq: Seq(seq as u64),
            };
            known.insert(id, (outcome, entry.body));
        }
        Ok(known)
    }

    async fn judge(&mut self, submission: Cow<'a, Submission>) -> Result<PushOutcome, StoreError> {
        if let Some(Objection { code, reason }) = submission.objection.clone() {
            return Ok(self.refuse_with(submission, code, reason));
        }
        let (id, seq) = (submission.opened.body.id, self.head.next());
        let job = Job::Ingest {
            opened: &submission.opened,
            place: Place::Stream(seq),
            authority: Authority::Judge {
                role: submission.role,
                import: submission.import,
            },
        };
        loop {
            match self.set.attempt(&job) {
                Attempt::Load(needs) => load(self.connection, &mut self.set, &needs).await?,
                Attempt::Write(effects) => self.write(&effects).await?,
                Attempt::Done(Ok(())) => {
                    self.head = seq;
                    let awaited = self.waiting.accepted(arrived(&submission.opened));
                    kept::arrived(self.connection, &awaited).await?;
                    self.entries.push(Entry { seq, submission });
                    return Ok(PushOutcome::Accepted { id, seq });
                }
                Attempt::Missing(missing) => return self.wait(submission, missing).await,
                Attempt::Done(Err(rejection)) => return Ok(self.refuse(submission, &rejection)),
            }
        }
    }

    /// Takes in, or refuses, whoever waited for what has just come or was refused; and so on.
    async fn settle(&mut self) -> Result<(), StoreError> {
        while let Some((waiter, due)) = self.waiting.next_due() {
            let submission = Cow::Owned(kept::take(self.connection, waiter.id).await?);
            let outcome = match due {
                Due::Judge => self.judge(submission).await?,
                Due::Refuse(unmet) => self.refuse_for(submission, unmet),
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

    async fn write(&mut self, effects: &Effects) -> Result<(), StoreError> {
        self.checksums += effects.checksums;
        write::effects(self.connection, effects, self.now).await
    }

    async fn finish(mut self) -> Result<(), StoreError> {
        let effects = self.set.take_effects();
        self.write(&effects).await?;
        quarantine::put(self.connection, &self.refused, self.now).await?;
        kept::refuse(self.connection, &self.refused_changes).await?;
        if self.entries.is_empty() {
            return Ok(());
        }
        self.log().await?;
        self.changes().await?;
        // The other servers hear of it when this transaction commits: see `listen`.
        let sql = "UPDATE sync.head SET seq = $1, checksums = $2 RETURNING pg_notify('holdfast_head', seq::text)";
        sqlx::query(sql)
            .bind(self.head.0 as i64)
            .bind(self.checksums.to_bytes().to_vec())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn log(&mut self) -> Result<(), StoreError> {
        for chunk in self.entries.chunks(write::CHUNK) {
            sqlx::query(
                "INSERT INTO sync.log (seq, id, user_id, device, time, accepted_at, entry)
                 SELECT k.seq, k.id, k.user_id, k.device, k.time::timestamptz, $6::text::timestamptz, k.entry
                 FROM (SELECT unnest($1::bigint[]) AS seq, unnest($2::uuid[]) AS id, unnest($3::uuid[]) AS user_id,
                     unnest($4::uuid[]) AS device, unnest($5::text[]) AS time, unnest($7::bytea[]) AS entry) AS k",
            )
            .bind(chunk.iter().map(|e| e.seq.0 as i64).collect::<Vec<_>>())
            .bind(chunk.iter().map(|e| e.body().id.0).collect::<Vec<_>>())
            .bind(chunk.iter().map(|e| e.body().user.0).collect::<Vec<_>>())
            .bind(chunk.iter().map(|e| e.body().device.0).collect::<Vec<_>>())
            .bind(chunk.iter().map(|e| e.body().time.to_string()).collect::<Vec<_>>())
            .bind(self.now.to_string())
            .bind(
                chunk
                    .iter()
                    .map(|e| encode(&e.submission.transaction))
                    .collect::<Vec<_>>(),
            )
            .execute(&mut *self.connection)
            .await?;
        }
        Ok(())
    }

    async fn changes(&mut self) -> Result<(), StoreError> {
        let all = self.entries.iter().flat_map(|entry| {
            let changes = entry.body().changes.iter().zip(&entry.submission.opened.changes);
            changes.map(|(name, change)| (name.document, name.hash, entry.seq, change))
        });
        // A device makes a change once. One that everybody makes alike (a text column's first) may come again.
        let (once, alike): (Vec<_>, Vec<_>) = all.partition(|(.., change)| {
            let actor = change.as_ref().map(|change| change.change.actor());
            actor.is_some_and(|actor| actor.device().is_some())
        });
        let insert = "INSERT INTO sync.changes (part, row, hash, seq)
            SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::bytea[]), unnest($4::bigint[])";
        let unless_there = format!("{insert} ON CONFLICT DO NOTHING");
        for (changes, sql) in [(once, insert), (alike, &unless_there)] {
            for chunk in changes.chunks(write::CHUNK) {
                sqlx::query(AssertSqlSafe(sql))
                    .bind(chunk.iter().map(|(id, ..)| id.part()).collect::<Vec<_>>())
                    .bind(chunk.iter().map(|(id, ..)| id.row.0).collect::<Vec<_>>())
                    .bind(chunk.iter().map(|(_, hash, ..)| hash.0.to_vec()).collect::<Vec<_>>())
                    .bind(chunk.iter().map(|(_, _, seq, _)| seq.0 as i64).collect::<Vec<_>>())
                    .execute(&mut *self.connection)
                    .await?;
            }
        }
        Ok(())
    }
}
