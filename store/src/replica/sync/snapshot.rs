//! A new replica copies the hospital, page by page. The place in the copy is stored with each page, so that a crash or a lost
//! connection costs one page at most.

use std::{cmp::Ordering, collections::BTreeSet, sync::Arc};

use holdfast_core::{
    document::{Document, Facet},
    ids::Seq,
    ingest::{Documents, Job},
    protocol::{self, SnapshotResponse},
    schema::Side,
};
use rusqlite::{Connection, ErrorCode};

use super::{HttpRequest, Method, RequestKind, Taken, cursor, decode, recopy, seen, sums};
use crate::{
    StoreError, meta,
    replica::{Replica, identity, sight, write_transaction::WriteTransaction},
    schema::Journal,
    writing::Writing,
};

pub(super) fn request(connection: &Connection) -> Result<HttpRequest, StoreError> {
    let after: Option<String> = meta::get(connection, "snapshot_next")?;
    let first = after.is_none();
    let request = page(after);
    Ok(match sums::noticed_at(connection)?.filter(|_| first) {
        // The server is told why, so that the hospital's log has it.
        Some(seq) => HttpRequest {
            path: format!("{}?differs={seq}", request.path),
            ..request
        },
        None => request,
    })
}

/// Asks for the page after this token, or for the first one.
pub(super) fn page(after: Option<String>) -> HttpRequest {
    let query = after
        .as_ref()
        .map_or_else(String::new, |token| format!("?after={token}"));
    HttpRequest {
        method: Method::Get,
        path: format!("/v{}/snapshot{query}", protocol::PROTOCOL_VERSION),
        body: Vec::new(),
        kind: RequestKind::Snapshot(after),
    }
}

impl Replica {
    pub(super) fn take_snapshot(&mut self, after: Option<&str>, body: &[u8]) -> Result<Taken, StoreError> {
        let page: Result<SnapshotResponse, String> = decode(body);
        let (page, mut documents) = match page.and_then(|page| documents(&page).map(|documents| (page, documents))) {
            Ok(read) => read,
            Err(problem) => return Ok(Err(problem)),
        };
        let now = self.host.now();
        if cursor(&self.connection)?.is_none() {
            set_journal(&self.connection, Journal::Rollback)?;
        }
        let transaction = WriteTransaction::begin(&self.connection)?;
        let expected: Option<String> = meta::get(&transaction, "snapshot_next")?;
        let anew = recopy::is_under_way(&transaction)?;
        if (cursor(&transaction)?.is_some() && !anew) || expected.as_deref() != after {
            // Taken in already.
            return Ok(Ok(BTreeSet::new()));
        }
        if after.is_some() && !follows_first(&transaction, &page)? {
            if anew {
                recopy::forget_pages(&transaction)?;
            } else {
                // The pages that are in place may show what this server's history does not have.
                recopy::copy_anew(&transaction)?;
            }
            transaction.commit()?;
            return Ok(Ok(BTreeSet::new()));
        }
        let barred = sight::is_barred(&transaction)?;
        if page.restricted && barred {
            // The pages that are here already were given without them.
            sight::set(&transaction, true)?;
            transaction.commit()?;
            return Ok(Ok(BTreeSet::new()));
        }
        let mut changed = BTreeSet::new();
        if !page.restricted && !broken!(CopyCutUnnoticed) {
            changed = sight::set(&transaction, false)?;
        }
        if anew {
            recopy::stage(&transaction, &page, barred)?;
            if progress(&transaction, after.is_none(), &page)? {
                self.actor = identity::new_actor(&self.key, &mut self.host);
                changed.extend(recopy::install(&transaction, now)?);
                sight::enforce(&transaction)?;
                sums::copied(&transaction)?;
                self.round.counted = None;
                self.round.pull = true;
            }
            transaction.commit()?;
            return Ok(Ok(changed));
        }
        documents.retain(|id, _| !(barred && id.facet == Facet::Restricted));
        let mut writing = Writing::new(&transaction, Side::Device, now);
        writing.follow(&Job::Replace {
            documents: &documents,
            now,
        })?;
        changed.extend(writing.finish()?);
        let complete = progress(&transaction, after.is_none(), &page)?;
        transaction.commit()?;
        if complete {
            set_journal(&self.connection, Journal::WriteAhead)?;
            // What was written just now need not be counted to be known.
            self.round.counted = Some(now);
        }
        Ok(Ok(changed))
    }
}

/// It stays as it is while somebody else has the file open.
fn set_journal(connection: &Connection, journal: Journal) -> Result<(), StoreError> {
    match journal.set(connection) {
        Err(StoreError::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        set => set,
    }
}

fn documents(page: &SnapshotResponse) -> Result<Documents, String> {
    let mut documents = Documents::new();
    for document in &page.documents {
        let state = Document::from_bytes(&document.state)
            .map_err(|error| format!("The copy of the hospital cannot be read: {error}."))?;
        documents.insert(document.id, Arc::new(state));
    }
    Ok(documents)
}

/// False if the documents of this page may lack what the stream had brought by the first page's place: another server gave it,
/// a hub that has not come as far, or it comes late, of an earlier copy of a history that the server has lost since. The copy
/// begins with its first page again.
fn follows_first(connection: &Connection, page: &SnapshotResponse) -> Result<bool, StoreError> {
    let Some(first) = meta::get::<i64>(connection, "snapshot_as_of")? else {
        return Ok(true);
    };
    let mark: Option<String> = meta::get(connection, "snapshot_mark")?;
    Ok(match page.as_of.cmp(&Seq(first as u64)) {
        Ordering::Less => false,
        Ordering::Equal => page.mark.as_ref().map(|mark| &mark.0) == mark.as_ref(),
        Ordering::Greater => true,
    })
}

/// Remembers the place in the copy; after the last page, when this returns true, the replica goes on from the first page's
/// place in the stream.
fn progress(connection: &Connection, first: bool, page: &SnapshotResponse) -> Result<bool, StoreError> {
    if first || broken!(TailFromLastPage) {
        meta::set(connection, "snapshot_as_of", page.as_of.0 as i64)?;
        match &page.mark {
            Some(mark) => meta::set(connection, "snapshot_mark", &mark.0)?,
            None => meta::remove(connection, "snapshot_mark")?,
        }
    }
    seen::note(connection, first, page)?;
    if first {
        meta::set(connection, "snapshot_received", 0)?;
    }
    let sql = "INSERT OR IGNORE INTO sync_actors (actor, user) VALUES (?1, ?2)";
    let mut insert = connection.prepare_cached(sql)?;
    for (actor, user) in &page.actors {
        insert.execute((actor.as_bytes(), user.to_string()))?;
    }
    let received = meta::get::<i64>(connection, "snapshot_received")?.unwrap_or(0);
    meta::set(connection, "snapshot_received", received + page.documents.len() as i64)?;
    meta::set(connection, "snapshot_total", page.total as i64)?;
    if let Some(next) = &page.next {
        meta::set(connection, "snapshot_next", next)?;
        return Ok(false);
    }
    let as_of: Option<i64> = meta::get(connection, "snapshot_as_of")?;
    meta::set(connection, "cursor", as_of.unwrap_or(0))?;
    match meta::get::<String>(connection, "snapshot_mark")? {
        Some(mark) => meta::set(connection, "mark", mark)?,
        None => meta::remove(connection, "mark")?,
    }
    meta::remove(connection, "snapshot_next")?;
    Ok(true)
}
