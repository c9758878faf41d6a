//! The server was put back to a backup: this device's place is none in its history any more. The device copies the hospital
//! anew beside the copy that it has, and work goes on meanwhile. Then, in one SQLite transaction, the new copy takes the
//! old one's place, what this device did and the server has lost goes back into the outbox, and what waits is done on top.
//!
//! ```text
//!  pull ──► 409 diverged ──► begin ──► snapshot pages ──► stage … stage ──► install ──► push what was lost ──► pull
//! ```
//!
//! *Invariants*
//! - A transaction that the new copy has is never made again; one that it lacks is sent as it was made, under its own name.
//! - What others did and the server lost is not given back from here: their devices do that.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use holdfast_core::{
    document::{Document, DocumentId, Facet},
    ids::{RowId, Timestamp},
    ingest::{Documents, Job},
    protocol::SnapshotResponse,
    schema::{Schema, Side},
    transaction::{ChangeName, Opened},
};
use rusqlite::{Connection, OptionalExtension};

use super::relay;

use crate::{
    StoreError, base, meta,
    replica::{kept, outbox, relayed, write_transaction::WriteTransaction},
    sql_value::uuid,
    tables,
    writing::Writing,
};

/// How many documents are put into place together.
const CHUNK: usize = 500;

/// True while the hospital is copied anew.
pub(super) fn is_under_way(connection: &Connection) -> Result<bool, StoreError> {
    Ok(meta::get(connection, "recopy")?.unwrap_or(false))
}

/// Begins to copy the hospital anew, unless that is under way.
pub(super) fn begin(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = WriteTransaction::begin(connection)?;
    if !is_under_way(&transaction)? {
        copy_anew(&transaction)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Copies the hospital anew, from the first page on.
pub(in crate::replica) fn copy_anew(connection: &Connection) -> Result<(), StoreError> {
    meta::set(connection, "recopy", true)?;
    kept::doubt(connection)?;
    outbox::ask_again(connection)?;
    forget_pages(connection)
}

/// The copy begins with its first page again.
pub(super) fn forget_pages(connection: &Connection) -> Result<(), StoreError> {
    meta::remove(connection, "snapshot_next")?;
    meta::remove(connection, "snapshot_received")?;
    connection.execute("DELETE FROM sync_incoming", [])?;
    Ok(())
}

/// Keeps a page until all are there. `barred`: without restricted documents.
pub(super) fn stage(connection: &Connection, page: &SnapshotResponse, barred: bool) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_incoming (part, row, state) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    let may = |id: &DocumentId| !(barred && id.facet == Facet::Restricted);
    for document in page.documents.iter().filter(|document| may(&document.id)) {
        insert.execute((
            document.id.part(),
            document.id.row.0.as_bytes(),
            document.state.as_slice(),
        ))?;
    }
    Ok(())
}

/// Puts the new copy in the old one's place. Returns the tables whose rows changed: all of them.
pub(super) fn install(connection: &Connection, now: Timestamp) -> Result<BTreeSet<&'static str>, StoreError> {
    base::take_all(connection)?;
    tables::clear(connection)?;
    let mut last = 0;
    loop {
        let documents = next_chunk(connection, &mut last)?;
        if documents.is_empty() {
            break;
        }
        let mut writing = Writing::new(connection, Side::Device, now);
        writing.follow(&Job::Replace {
            documents: &documents,
            now,
        })?;
        writing.finish()?;
    }
    forget_pages(connection)?;
    meta::remove(connection, "recopy")?;
    // What was acknowledged since the copy began too: the server may have been put back once more.
    for (n, opened) in kept::all(connection)? {
        if !has(connection, &opened)? && !broken!(LostNotGivenBack) {
            kept::give_back(connection, n)?;
        }
    }
    kept::settle(connection)?;
    // Another server has taken it after all, as a hub's copy or one that was restored may show.
    for (n, refused) in outbox::all_refused(connection)? {
        let opened = refused.open().map_err(StoreError::corrupt)?;
        if has(connection, &opened)? {
            kept::keep(connection, n, None)?;
            outbox::remove(connection, n, &opened.body)?;
        }
    }
    do_on_top(connection)?;
    relay::forget_place(connection)?;
    let mut changed = BTreeSet::new();
    changed.extend(Schema::hospital().tables.iter().map(|table| table.name));
    Ok(changed)
}

fn next_chunk(connection: &Connection, last: &mut i64) -> Result<Documents, StoreError> {
    let sql = "SELECT n, part, row, state FROM sync_incoming WHERE n > ?1 ORDER BY n LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query((*last, CHUNK as i64))?;
    let mut documents = Documents::new();
    while let Some(row) = found.next()? {
        *last = row.get(0)?;
        let id = DocumentId::from_part(row.get(1)?, RowId(uuid(&row.get::<_, Vec<u8>>(2)?)?));
        let document = Document::from_bytes(&row.get::<_, Vec<u8>>(3)?).map_err(StoreError::corrupt)?;
        documents.insert(id, Arc::new(document));
    }
    Ok(documents)
}

/// True if all of a transaction's changes are in their documents.
pub(in crate::replica) fn has(connection: &Connection, opened: &Opened) -> Result<bool, StoreError> {
    let sql = "SELECT state FROM sync_documents WHERE part = ?1 AND row = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    for (name, decoded) in opened.body.changes.iter().zip(&opened.changes) {
        let id = name.document;
        let mut found = statement.query((id.part(), id.row.0.as_bytes()))?;
        let (Some(row), Some(decoded)) = (found.next()?, decoded) else {
            return Ok(false);
        };
        let document = Document::from_bytes(&row.get::<_, Vec<u8>>(0)?).map_err(StoreError::corrupt)?;
        if !document.contains(decoded.change.actor(), decoded.change.seq) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Does what is pending on top of the new copy, as it is. What cannot be done there (it builds on what others have not given
/// back yet, or the copy has it already) waits all the same: the server decides.
fn do_on_top(connection: &Connection) -> Result<(), StoreError> {
    let mut here: HashSet<ChangeName> = HashSet::new();
    for again in outbox::all_pending(connection)? {
        let opened = again.open().map_err(StoreError::corrupt)?;
        if again.relayed && has(connection, &opened)? {
            outbox::remove(connection, again.n, &opened.body)?;
            continue;
        }
        // What others did at the same time builds on the same.
        for name in &opened.body.changes {
            here.extend(heads(connection, name.document)?);
        }
        let is_here = |name: &ChangeName| here.contains(name);
        let done = if again.relayed {
            relayed::show(connection, again.n, &opened, is_here)?
        } else {
            relayed::on_top(connection, again.n, &opened, again.giver.role(), false, is_here)?
        };
        match done {
            Some(_) => here.extend(opened.body.changes),
            None if again.relayed => relayed::leave_out(connection, again.n, &opened.body)?,
            // The stream does not bring it any more: the server is asked for its place, at once.
            None if has(connection, &opened)? => outbox::not_held(connection, again.n)?,
            None => {}
        }
    }
    Ok(())
}

fn heads(connection: &Connection, document: DocumentId) -> Result<Vec<ChangeName>, StoreError> {
    let sql = "SELECT state FROM sync_documents WHERE part = ?1 AND row = ?2";
    let state: Option<Vec<u8>> = connection
        .prepare_cached(sql)?
        .query_row((document.part(), document.row.0.as_bytes()), |row| row.get(0))
        .optional()?;
    let heads = state
        .map(|state| Document::heads_of(&state))
        .transpose()
        .map_err(StoreError::corrupt)?;
    let name = |hash| ChangeName { document, hash };
    Ok(heads.unwrap_or_default().into_iter().map(name).collect())
}
