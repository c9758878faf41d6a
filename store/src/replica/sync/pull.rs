//! What is new in the stream comes in.

use std::collections::{BTreeSet, HashSet};

use holdfast_core::{
    document::Place,
    ids::Seq,
    ingest::{Authority, Job},
    protocol::{self, PullResponse, RelayList},
    schema::Side,
    transaction::{Body, ChangeName, LogEntry, Mark, Opened, TransactionError},
};
use rusqlite::Connection;

use super::{HttpRequest, Method, RequestKind, Taken, decode, push, recopy, relay, seen, stands_at, sums};
use crate::{
    StoreError, base,
    hub::RelayPlace,
    meta,
    replica::{
        Replica, kept,
        make::Workshop,
        outbox, relayed,
        replay::{self, Gone, Remake},
        sight,
        write_transaction::WriteTransaction,
    },
    writing::Writing,
};

/// How many entries one response carries at most.
const LIMIT: usize = 1_000;

/// `mark` is that of the entry at `after`, if it is known; `place` is that in a hub's list.
pub(super) fn request(after: Seq, mark: Option<Mark>, place: Option<(RelayList, u64)>) -> HttpRequest {
    let at = mark
        .as_ref()
        .map_or_else(String::new, |mark| format!("&mark={}", mark.0));
    let place = place.map_or_else(String::new, |(list, place)| {
        format!("&relayed={}", RelayPlace { list, place })
    });
    HttpRequest {
        method: Method::Get,
        path: format!(
            "/v{}/pull?after={after}&limit={LIMIT}{place}{at}",
            protocol::PROTOCOL_VERSION
        ),
        body: Vec::new(),
        kind: RequestKind::Pull(after, mark),
    }
}

impl Replica {
    /// `mark` is that of the entry at `after`, as it was when this was asked.
    pub(super) fn take_pull(&mut self, after: Seq, mark: Option<&Mark>, body: &[u8]) -> Result<Taken, StoreError> {
        let mut response: PullResponse = match decode(body) {
            Ok(response) => response,
            Err(problem) => return Ok(Err(problem)),
        };
        let relay = match response.relayed.take().map(relay::read).transpose() {
            Ok(relay) => relay,
            Err(problem) => return Ok(Err(problem)),
        };
        let from_hub = relay.is_some();
        // Without a mark a server cannot tell by itself. A hub may be behind.
        let stands_there = stands_at(&self.connection, after, mark)?;
        if response.head < after && !from_hub && stands_there && !broken!(RestoreUnnoticed) {
            recopy::begin(&mut self.connection)?;
            return Ok(Ok(BTreeSet::new()));
        }
        let opened = match check(after, &response) {
            Ok(opened) => opened,
            Err(problem) => return Ok(Err(problem)),
        };
        let (now, own) = (self.host.now(), self.device_id());
        if broken!(CursorFirst) {
            reach(&self.connection, &response)?;
        }
        let transaction = WriteTransaction::begin(&self.connection)?;
        let stands_there = stands_at(&transaction, after, mark)? || broken!(CursorFirst);
        if !stands_there && !broken!(PageOutOfPlace) {
            // Taken in already, or of a history that the server has lost.
            return Ok(Ok(BTreeSet::new()));
        }
        let lost = kept::contradicts(&transaction, after, &response, from_hub)?
            || seen::contradicts(&transaction, after, &response, from_hub)?;
        if lost && !broken!(RestoreUnnoticed) {
            drop(transaction);
            recopy::begin(&mut self.connection)?;
            return Ok(Ok(BTreeSet::new()));
        }
        let mut changed = BTreeSet::new();
        match sight::shown_in(&response, &opened) {
            Some(true) if sight::is_barred(&transaction)? => {
                sight::set(&transaction, true)?;
                transaction.commit()?;
                return Ok(Ok(changed));
            }
            Some(false) => changed = sight::set(&transaction, false)?,
            _ => {}
        }
        let mut writing = Writing::new(&transaction, Side::Device, now);
        let mut done = HashSet::new();
        for (entry, opened) in response.entries.iter().zip(&opened) {
            take_entry(&transaction, &mut writing, entry, opened)?;
            if opened.body.device == own {
                done.extend(settle_namesake(&transaction, &opened.body)?);
            }
        }
        kept::trim(&transaction)?;
        changed.extend(writing.finish()?);
        if !done.is_empty() {
            let mut workshop = Workshop::anew(&transaction, &mut self.host, &self.key, &mut self.actor);
            let gone = Gone {
                refused: done,
                ..Gone::default()
            };
            changed.extend(replay::replay(&mut workshop, gone, Remake::NotKept, now)?);
        }
        seen::reach(&transaction, response.cursor)?;
        reach(&transaction, &response)?;
        let in_step = response.cursor >= response.head;
        if in_step {
            meta::set(&transaction, "last_in_step", now.0)?;
            let hub = relay.as_ref().map(relay::Page::hub);
            self.round.switched = self.round.switched || relay::answers(&transaction, hub, now)?;
            let mut noted = match &relay {
                None => relay::Noted::default(),
                Some(page) => match relay::note(&transaction, page, own)? {
                    Ok(noted) => noted,
                    Err(problem) => return Ok(Err(problem)),
                },
            };
            relay::expire(&transaction, now, &mut noted)?;
            if !noted.gone.is_empty() {
                let mut workshop = Workshop::anew(&transaction, &mut self.host, &self.key, &mut self.actor);
                let gone = std::mem::take(&mut noted.gone);
                changed.extend(replay::replay(&mut workshop, gone, Remake::Dependent, now)?);
            }
            changed.extend(relay::show(&transaction, &noted)?);
            relay::make_room(&transaction)?;
        }
        changed.extend(sight::enforce(&transaction)?);
        // What a late answer says is not held against a copy that is being made anew, nor what a hub says against one whose
        // pages were read further on.
        let compared = in_step && !recopy::is_under_way(&transaction)? && seen::all_reached(&transaction)?;
        let differs = match response.checksum.filter(|_| compared) {
            Some(expected) => sums::differ(&transaction, response.head, expected, &mut self.round.counted, now)?,
            None => false,
        };
        transaction.commit()?;
        if differs {
            recopy::begin(&mut self.connection)?;
        }
        self.round.pull = !in_step || relay.is_some_and(|page| page.more());
        Ok(Ok(changed))
    }
}

/// The stream has a command of this device that is here as another transaction: this store was put back to a backup, after which
/// it was made again. Returns the changes that are to be taken back.
fn settle_namesake(connection: &Connection, body: &Body) -> Result<Vec<ChangeName>, StoreError> {
    let Some(known) = outbox::namesake(connection, body)? else {
        return Ok(Vec::new());
    };
    let known_body = known.transaction.body().map_err(StoreError::corrupt)?;
    kept::keep(connection, known.n, None)?;
    outbox::remove(connection, known.n, &known_body)?;
    // What was refused has been taken back already.
    Ok(if known.state == "waiting" {
        known_body.changes
    } else {
        Vec::new()
    })
}

/// The replica is where a page ends.
fn reach(connection: &Connection, page: &PullResponse) -> Result<(), StoreError> {
    meta::set(connection, "cursor", page.cursor.0 as i64)?;
    if let Some(last) = page.entries.last() {
        let mark = last.mark().map_err(StoreError::corrupt)?;
        meta::set(connection, "mark", mark.0)?;
    }
    Ok(())
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

/// An entry of this device whose acknowledgement was lost is acknowledged now, one that a hub relayed is confirmed; all else
/// is folded.
fn take_entry(
    connection: &Connection,
    writing: &mut Writing<'_>,
    entry: &LogEntry,
    opened: &Opened,
) -> Result<(), StoreError> {
    let known = relayed::find(connection, opened.body.id)?;
    if let Some(waiting) = known.as_ref().filter(|known| known.state == "waiting") {
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
    match known {
        Some(known) if !known.is_own() => relayed::confirm(connection, writing, known.n, opened, entry.seq),
        known => {
            if let Some(refused) = known {
                // Another server has taken it after all.
                kept::keep(connection, refused.n, entry.seq)?;
                outbox::remove(connection, refused.n, &opened.body)?;
            }
            base::fold(connection, opened, entry.seq)
        }
    }
}
