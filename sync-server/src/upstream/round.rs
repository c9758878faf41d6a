//! The task that talks to the hospital's server.
//!
//! ```text
//!            ┌────────────────────── news from either side, or a minute ─────────────────────┐
//!            ▼                                                                               │
//!  sessions that ended ─► pull to the end ─► who may sign in ─► push ─► pull what came of it ─┘
//!            │ fails                             └─ 409: the copy is dropped, and made anew
//!            ▼
//!  1, 2, 4 … 60 seconds, each shortened by up to half by chance
//! ```

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use holdfast_core::{
    ids::{Seq, TransactionId},
    protocol::{HubSignedOut, PullResponse, PushOutcome, TokenDigest},
    schema::SCHEMA_VERSION,
    transaction::Transaction,
};
use tokio::sync::watch;

use super::{Contact, DEAF, Link, LinkError, QUIET, link::on_thread, live::Listener};
use crate::store::{now, random};

/// The longest time between two attempts.
const LONGEST: Duration = Duration::from_mins(1);

/// The shortest time between two looks at who may sign in.
const ACCESS_EVERY: Duration = Duration::from_secs(1);

/// What goes into one push.
const PUSH_TRANSACTIONS: usize = 200;
const PUSH_BYTES: usize = 1 << 20;

/// How many ended sessions are told of at once.
const SIGNED_OUT: usize = 500;

/// How often the log tells how far a copy is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Talks until the task is ended. `head` is told when devices have something to pull.
pub async fn run(link: Arc<Link>, head: watch::Sender<Seq>) {
    let mut talk = Talk {
        listener: Listener::default(),
        known_access: String::new(),
        accessed: None,
        push_limit: PUSH_TRANSACTIONS,
        link,
        head,
    };
    let mut failures = 0;
    loop {
        match talk.round().await {
            Ok(()) => {
                talk.went_well();
                failures = 0;
                talk.listener.ensure(&talk.link);
                let quiet = if talk.listener.is_listening() { QUIET } else { DEAF };
                let news = talk.link.wishes.something.notified();
                if tokio::time::timeout(quiet, news).await.is_err() {
                    talk.link.wishes.pull.store(true, Ordering::Relaxed);
                }
            }
            Err(error) => {
                talk.went_wrong(&error).await;
                failures += 1;
                let wait = error.retry_after().map_or(Duration::ZERO, |wait| wait.min(LONGEST));
                tokio::time::sleep(back_off(failures).max(wait)).await;
            }
        }
    }
}

/// 1, 2, 4 … 60 seconds, shortened by up to half by chance, so that hubs do not all come back at once.
fn back_off(failures: u32) -> Duration {
    let whole = Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(LONGEST);
    let chance = f64::from(u16::from_be_bytes(random::bytes())) / f64::from(u16::MAX);
    whole.mul_f64(1.0 - chance / 2.0)
}

struct Talk {
    link: Arc<Link>,
    head: watch::Sender<Seq>,
    listener: Listener,
    /// The digest of what is known of who may sign in.
    known_access: String,
    /// When that was asked last.
    accessed: Option<Instant>,
    /// How many transactions go into the next push; fewer while one of them is not taken.
    push_limit: usize,
}

impl Talk {
    async fn round(&mut self) -> Result<(), LinkError> {
        let was_down = self.link.state.borrow().contact != Contact::Up;
        let asked = self.link.wishes.access.load(Ordering::SeqCst);
        let wants_access = asked > self.link.state.borrow().refreshed;
        let is_due = self.accessed.is_none_or(|at| at.elapsed() >= QUIET);
        self.tell_signed_out().await?;
        let wants_pull = self.link.wishes.pull.swap(false, Ordering::Relaxed);
        if was_down || wants_pull || is_due {
            self.pull().await?;
        }
        if was_down || wants_access || is_due {
            self.access().await?;
            self.link.state.send_modify(|state| state.refreshed = asked);
        }
        // One push in a round: while a ward is busy, the hub hears of the hospital all the same.
        if self.push().await? {
            self.pull().await?;
            self.link.push_soon();
        }
        Ok(())
    }

    async fn tell_signed_out(&self) -> Result<(), LinkError> {
        loop {
            let ended = self.link.store.ended_sessions(SIGNED_OUT).await?;
            if ended.is_empty() {
                return Ok(());
            }
            let message = HubSignedOut {
                tokens: ended.iter().copied().map(TokenDigest).collect(),
            };
            let (client, own) = (self.link.client.clone(), self.link.hospital);
            on_thread(move || client.signed_out(own, &message)).await?;
            self.link.store.forget_ended_sessions(ended).await?;
        }
    }

    async fn access(&mut self) -> Result<(), LinkError> {
        if let Some(at) = self.accessed {
            tokio::time::sleep(ACCESS_EVERY.saturating_sub(at.elapsed())).await;
        }
        let (client, own, known) = (self.link.client.clone(), self.link.hospital, self.known_access.clone());
        let answer = on_thread(move || client.access(own, &known)).await?;
        self.accessed = Some(Instant::now());
        let Some(new) = answer else { return Ok(()) };
        if new.access.schema_version > SCHEMA_VERSION {
            tracing::warn!(
                theirs = new.access.schema_version,
                own = SCHEMA_VERSION,
                "the hospital's server knows more tables and columns than this hub: update the hub"
            );
        }
        self.link.store.take_access(new.access, now()).await?;
        self.known_access = new.digest;
        Ok(())
    }

    /// Pulls until the end of the stream.
    async fn pull(&mut self) -> Result<(), LinkError> {
        let mut told = None;
        loop {
            let after = self.link.store.head().await?;
            let page = match self.page(after).await {
                Err(LinkError::Diverged) => {
                    self.copy_anew("the hospital's server was put back to a backup").await?;
                    continue;
                }
                other => other?,
            };
            let (end, news) = (page.head, !page.entries.is_empty());
            let followed = self.link.store.follow(after, page, now()).await?;
            if followed.differs {
                self.copy_anew("the hub's copy differs from what the hospital's server has")
                    .await?;
                continue;
            }
            self.went_well();
            if news {
                self.tell_devices(followed.head);
            }
            if followed.in_step {
                if told.is_some() {
                    tracing::info!("copied {0} of {0} transactions", grouped(end.0));
                }
                self.complete(followed.head);
                return Ok(());
            }
            if told.is_none_or(|at: Instant| at.elapsed() >= TELL_EVERY) {
                told = Some(Instant::now());
                tracing::info!("copied {} of {} transactions", grouped(followed.head.0), grouped(end.0));
            }
        }
    }

    async fn page(&self, after: Seq) -> Result<PullResponse, LinkError> {
        let mark = self.link.store.mark(after).await?;
        let (client, own) = (self.link.client.clone(), self.link.hospital);
        on_thread(move || client.pull(own, after, mark.as_ref())).await
    }

    /// The hub's copy is at the stream's end.
    fn complete(&self, head: Seq) {
        if !self.link.state.borrow().complete {
            self.link.state.send_modify(|state| state.complete = true);
            self.tell_devices(head);
            tracing::info!("the copy of the hospital is complete: devices are served");
        }
    }

    /// Drops the copy of the stream. What is relayed stays.
    async fn copy_anew(&self, why: &str) -> Result<(), LinkError> {
        tracing::warn!("{why}: the hub copies the hospital anew; its devices wait until that is done");
        self.link.state.send_modify(|state| state.complete = false);
        Ok(self.link.store.diverged().await?)
    }

    /// Pushes the first of what is relayed. True if there was something.
    async fn push(&mut self) -> Result<bool, LinkError> {
        loop {
            let parts = self.link.store.to_push(now(), self.push_limit, PUSH_BYTES).await?;
            let (ids, transactions): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            if ids.is_empty() {
                self.push_limit = PUSH_TRANSACTIONS;
                return Ok(false);
            }
            let Some(outcomes) = self.send(&ids, transactions).await? else {
                continue;
            };
            let withdrawn = self.link.store.take_outcomes(ids, outcomes, now()).await?;
            if !withdrawn.is_empty() {
                tracing::warn!(
                    transactions = withdrawn.len(),
                    "the hospital's server refused what was relayed"
                );
                self.tell_devices(self.link.store.head().await?);
            }
            return Ok(true);
        }
    }

    /// Sends transactions. `None` if they are to be sent in smaller parts: one of them is never taken as it is.
    async fn send(
        &mut self,
        ids: &[TransactionId],
        transactions: Vec<Transaction>,
    ) -> Result<Option<Vec<PushOutcome>>, LinkError> {
        let (client, own) = (self.link.client.clone(), self.link.hospital);
        let refused = match on_thread(move || client.push(own, transactions)).await {
            Err(LinkError::Refused {
                status: 400 | 413,
                message,
            }) => message,
            other => return other.map(Some),
        };
        let [id] = *ids else {
            self.push_limit = ids.len() / 2;
            return Ok(None);
        };
        tracing::error!(%id, refused, "the hospital's server does not take a transaction as it is");
        Ok(Some(vec![PushOutcome::Rejected {
            id,
            code: "malformed".to_owned(),
            reason: refused,
        }]))
    }

    /// Devices that listen pull.
    fn tell_devices(&self, head: Seq) {
        self.head.send_replace(head);
    }

    fn went_well(&self) {
        let at = now();
        let was_up = self.link.state.borrow().contact == Contact::Up;
        self.link.state.send_modify(|state| {
            match &state.contact {
                Contact::Up => {}
                Contact::Untried => tracing::info!("the link to the hospital's server is there"),
                Contact::LockedOut => tracing::info!("the hospital's server takes this hub's work again"),
                Contact::Down { since, .. } => {
                    let seconds = (at.0 - since.0) / 1_000_000;
                    tracing::info!(seconds, "the link to the hospital's server is back");
                }
            }
            state.contact = Contact::Up;
            state.last = Some(at);
        });
        if !was_up {
            // Devices show that the link is down until they hear otherwise with a pull.
            self.head.send_modify(|_| ());
        }
    }

    async fn went_wrong(&self, error: &LinkError) {
        let before = self.link.state.borrow().contact.clone();
        let problem = error.to_string();
        let contact = match (error, &before) {
            (LinkError::LockedOut, _) => Contact::LockedOut,
            (_, Contact::Down { since, .. }) => Contact::Down { since: *since, problem },
            _ => Contact::Down { since: now(), problem },
        };
        // Said once, not with every attempt.
        let is_news = match (&before, &contact) {
            (Contact::Down { problem: old, .. }, Contact::Down { problem: new, .. }) => old != new,
            (before, contact) => before != contact,
        };
        if is_news && error.needs_somebody() {
            tracing::error!("{error}");
        } else if is_news {
            let relayed = self
                .link
                .store
                .relay_count()
                .await
                .map(|count| count.transactions)
                .unwrap_or_default();
            tracing::warn!(
                relayed,
                "{error}: the ward goes on, and what it does is passed on later"
            );
        }
        self.link.state.send_modify(|state| state.contact = contact);
        // Devices show how old the contact is: they hear of it with a pull.
        self.head.send_modify(|_| ());
    }
}

/// 54,000
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute_and_chance_shortens_it_by_up_to_half() {
        for (failures, most) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (40, 60)] {
            for _ in 0..100 {
                let wait = back_off(failures);
                assert!(wait <= Duration::from_secs(most), "{failures}: {wait:?}");
                assert!(wait >= Duration::from_secs(most) / 2, "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn thousands_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (54_000, "54,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }
}
