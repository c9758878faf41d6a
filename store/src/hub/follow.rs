//! The hospital's stream comes in, entry by entry as it is there.

use holdfast_core::{
    document::Place,
    ids::{Seq, Timestamp, TransactionId},
    ingest::{Authority, Job},
    protocol::PullResponse,
    schema::Side,
    transaction::{LogEntry, Opened, TransactionError},
};
use rusqlite::{Connection, TransactionBehavior};

use super::{COPYING, is_copying, push, relay, require, sums};
use crate::{
    ServerStore, StoreError, base, meta,
    server::{self, await_no_longer, take_in},
    writing::Writing,
};

/// Where a hub is after a page of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Followed {
    /// The end of the stream here: the next page is asked for after it.
    pub head: Seq,
    /// The hub has all that the hospital's server had.
    pub in_step: bool,
    /// The hospital's server has another history, or other documents: copy it anew ([`ServerStore::diverged`]). Told at most
    /// once an hour for documents, so that a copy that does not help is not made again and again.
    pub differs: bool,
}

impl ServerStore {
    /// Takes in the page of the hospital's stream that was asked for `after` this place, with nothing withheld; all of it in
    /// one database transaction. A page for another place than the end of the stream here, such as one that comes twice,
    /// changes nothing. [`StoreError::Upstream`] if it isn't a page of a stream.
    pub fn follow(&mut self, after: Seq, page: &PullResponse, now: Timestamp) -> Result<Followed, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let hub = require(&transaction)?;
        let mut followed = Followed {
            head: server::head(&transaction)?,
            in_step: false,
            differs: false,
        };
        if after != followed.head {
            return Ok(followed);
        }
        if page.head < after {
            followed.differs = true;
            return Ok(followed);
        }
        let opened = check(after, page).map_err(StoreError::Upstream)?;
        take_page(&transaction, page, &opened, now)?;
        followed.head = page.entries.last().map_or(after, |last| last.seq);
        followed.in_step = followed.head >= page.head;
        if page.entries.is_empty() {
            relay::doubt(&transaction, page.head)?;
        }
        meta::set(&transaction, "head", followed.head.0 as i64)?;
        if followed.in_step {
            meta::remove(&transaction, COPYING)?;
        }
        if !is_copying(&transaction)? {
            relay::lift(&transaction)?;
            // Whoever waited for what has come.
            take_in(&transaction, &[], now, Some(hub))?;
        }
        let sums = sums::renew(&transaction)?;
        if let Some(expected) = page.checksum.filter(|_| followed.in_step) {
            followed.differs = sums::differ(&transaction, sums, &expected, now)?;
        }
        transaction.commit()?;
        Ok(followed)
    }
}

/// Opens the entries, if they are the next ones without a gap.
fn check(after: Seq, page: &PullResponse) -> Result<Vec<Opened>, String> {
    let mut last = after;
    for entry in &page.entries {
        if entry.seq != last.next() {
            return Err(format!("entry {} after {last}", entry.seq));
        }
        last = entry.seq;
    }
    if last > page.head || (page.entries.is_empty() && page.head > after) {
        return Err(format!(
            "a page that ends at {last} of a stream that ends at {}",
            page.head
        ));
    }
    let open = |entry: &LogEntry| entry.transaction.open();
    let opened: Result<_, TransactionError> = page.entries.iter().map(open).collect();
    opened.map_err(|error| error.to_string())
}

fn take_page(
    connection: &Connection,
    page: &PullResponse,
    opened: &[Opened],
    now: Timestamp,
) -> Result<(), StoreError> {
    let judged = has_judged(connection)?;
    let mut displaced = Vec::new();
    let mut writing = Writing::new(connection, Side::Server, now);
    for (entry, opened) in page.entries.iter().zip(opened) {
        displaced.extend(take_entry(connection, &mut writing, entry, opened)?);
        server::log(connection, [(entry.seq, opened, &entry.transaction)], entry.accepted_at)?;
        if judged {
            forget_verdict(connection, entry, opened)?;
            await_no_longer(connection, opened)?;
        }
    }
    writing.finish()?;
    if !displaced.is_empty() {
        let refused = displaced.into_iter().map(push::Refusal::id_taken).collect();
        push::withdraw(connection, refused, now)?;
    }
    Ok(())
}

/// Returns what was relayed under the id of this entry and is something else.
fn take_entry(
    connection: &Connection,
    writing: &mut Writing<'_>,
    entry: &LogEntry,
    opened: &Opened,
) -> Result<Option<TransactionId>, StoreError> {
    let relaying = relay::find(connection, opened.body.id)?;
    let (own, displaced) = match relaying {
        Some(relaying) if relaying.transaction.body == entry.transaction.body => (Some(relaying), None),
        other => (None, other.map(|relaying| relaying.id)),
    };
    // What is relayed is folded already, unless it did not fit.
    writing.follow(&Job::Ingest {
        opened,
        place: Place::Stream(entry.seq),
        authority: Authority::Follow,
    })?;
    if own.is_some() {
        let seq = entry.seq;
        writing.follow(&Job::Confirm { opened, seq })?;
    }
    if !broken!(HubBaseStandsStill) {
        base::fold(connection, opened, entry.seq)?;
    }
    if let Some(relaying) = own {
        relay::remove(connection, relaying.n, &opened.body)?;
        base::release(connection, &opened.body)?;
    }
    Ok(displaced)
}

/// True if something was refused here, or waits.
fn has_judged(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sync_quarantine UNION ALL SELECT 1 FROM sync_waiting";
    Ok(connection.prepare_cached(sql)?.exists([])?)
}

/// The hospital's server has taken a transaction that was refused here, or that waits here.
fn forget_verdict(connection: &Connection, entry: &LogEntry, opened: &Opened) -> Result<(), StoreError> {
    let id = opened.body.id;
    server::leave_quarantine(connection, id, &entry.transaction)?;
    server::leave_waiting(connection, id)?;
    let sql = "DELETE FROM sync_refused_changes WHERE part = ?1 AND row = ?2 AND hash = ?3";
    let mut delete = connection.prepare_cached(sql)?;
    for change in &opened.body.changes {
        let id = change.document;
        delete.execute((id.part(), id.row.0.as_bytes(), change.hash.0))?;
    }
    Ok(())
}
