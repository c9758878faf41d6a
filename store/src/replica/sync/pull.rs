//! What is new in the stream comes in.

use std::collections::BTreeSet;

use holdfast_core::{
    document::Place,
    ids::Seq,
    ingest::{Authority, Job},
    protocol::{self, PullResponse},
    schema::Side,
    transaction::{LogEntry, Opened, TransactionError},
};
use rusqlite::{Connection, TransactionBehavior};

use super::{HttpRequest, Method, RequestKind, Taken, cursor, decode, push, recopy, sums};
use crate::{
    StoreError, meta,
    replica::{Replica, base, kept, outbox},
    writing::Writing,
};

/// How many entries one response carries at most.
const LIMIT: usize = 1_000;

/// `mark` is that of the entry at `after`, if it is known.
pub(super) fn request(after: Seq, mark: Option<String>) -> HttpRequest {
    let mark = mark.map_or_else(String::new, |mark| format!("&mark={mark}"));
    HttpRequest {
        method: Method::Get,
        path: format!(
            "/v{}/pull?after={after}&limit={LIMIT}{mark}",
            protocol::PROTOCOL_VERSION
        ),
        body: Vec::new(),
        kind: RequestKind::Pull(after),
    }
}

impl Replica {
    pub(super) fn take_pull(&mut self, after: Seq, body: &[u8]) -> Result<Taken, StoreError> {
        let response: PullResponse = match decode(body) {
            Ok(response) => response,
            Err(problem) => return Ok(Err(problem)),
        };
        // Without a mark a server cannot tell by itself.
        if response.head < after && cursor(&self.connection)? == Some(after) && !broken!(RestoreUnnoticed) {
            recopy::begin(&mut self.connection)?;
            return Ok(Ok(BTreeSet::new()));
        }
        let opened = match check(after, &response) {
            Ok(opened) => opened,
            Err(problem) => return Ok(Err(problem)),
        };
        let now = self.host.now();
        if broken!(CursorFirst) {
            meta::set(&self.connection, "cursor", response.cursor.0 as i64)?;
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let place = if broken!(CursorFirst) { response.cursor } else { after };
        if cursor(&transaction)? != Some(place) && !broken!(PageOutOfPlace) {
            // Taken in already.
            return Ok(Ok(BTreeSet::new()));
        }
        if kept::contradicts(&transaction, after, &response)? && !broken!(RestoreUnnoticed) {
            drop(transaction);
            recopy::begin(&mut self.connection)?;
            return Ok(Ok(BTreeSet::new()));
        }
        let mut writing = Writing::new(&transaction, Side::Device, now);
        for (entry, opened) in response.entries.iter().zip(&opened) {
            take_entry(&transaction, &mut writing, entry, opened)?;
        }
        let changed = writing.finish()?;
        meta::set(&transaction, "cursor", response.cursor.0 as i64)?;
        if let Some(last) = response.entries.last() {
            let mark = last.mark().map_err(StoreError::corrupt)?;
            meta::set(&transaction, "mark", mark.0)?;
        }
        let in_step = response.cursor >= response.head;
        if in_step {
            meta::set(&transaction, "last_in_step", now.0)?;
        }
        let differs = match response.checksum.filter(|_| in_step) {
            Some(expected) => sums::differ(&transaction, response.head, expected, &mut self.round.counted, now)?,
            None => false,
        };
        transaction.commit()?;
        if differs {
            recopy::begin(&mut self.connection)?;
        }
        self.round.pull = !in_step;
        Ok(Ok(changed))
    }
}

/// Opens the entries, if the page is one that follows the cursor.
fn check(after: Seq, response: &PullResponse) -> Result<Vec<Opened>, String> {
    let mut last = after;
    for entry in &response.entries {
        if entry.seq <= last {
            return Err(format!("The server's answer is out of order at {}.", entry.seq));
        }
        last = entry.seq;
    }
    let stands_still = response.cursor == after && response.cursor < response.head;
    if response.cursor < last || response.cursor > response.head || stands_still {
        return Err(format!(
            "The server's answer ends at {}, which cannot be.",
            response.cursor
        ));
    }
    let open = |entry: &LogEntry| entry.transaction.open();
    let opened: Result<Vec<Opened>, TransactionError> = response.entries.iter().map(open).collect();
    opened.map_err(|error| format!("The server's history cannot be read: {error}."))
}

/// An entry of this device whose acknowledgement was lost is acknowledged now; all else is folded.
fn take_entry(
    connection: &Connection,
    writing: &mut Writing<'_>,
    entry: &LogEntry,
    opened: &Opened,
) -> Result<(), StoreError> {
    if let Some(waiting) = outbox::waiting(connection, opened.body.id)? {
        // The device's own copy has what the server may withhold.
        let own = waiting.transaction.open().map_err(StoreError::corrupt)?;
        // After a new copy it may not have been possible to show it here.
        writing.follow(&Job::Ingest {
            opened: &own,
            place: Place::Stream(entry.seq),
            authority: Authority::Follow,
        })?;
        return push::acknowledge(connection, writing, waiting.n, &own, entry.seq);
    }
    writing.follow(&Job::Ingest {
        opened,
        place: Place::Stream(entry.seq),
        authority: Authority::Follow,
    })?;
    sums::note_unfolded(connection, writing, opened)?;
    base::fold(connection, opened, entry.seq)
}
