//! The base: documents that pending transactions write to, as the stream has them so far. Pending is what waits in a device's
//! outbox, and what a hub relays.
//!
//! ```text
//!  document  =  base  +  the changes of pending transactions
//! ```

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use holdfast_core::{
    document::{Document, DocumentId, Facet, Place, fold::Arrival},
    ids::{ChangeHash, RowId, Seq, Timestamp},
    ingest::{Authority, Documents, Job, Needs, RowKey},
    schema::{Schema, Side},
    transaction::{Body, ChangeName, Opened},
};
use rusqlite::{Connection, OptionalExtension};

use crate::{StoreError, sql_value::uuid, writing::Writing};

/// Transaction `n` is pending from now on: keeps the documents that it writes to as they are now, unless others are pending on
/// them already. To be called before what the transaction does is written.
pub(crate) fn keep(connection: &Connection, n: i64, body: &Body) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_base (part, row, state, pending)
        SELECT ?1, ?2, coalesce((SELECT state FROM sync_documents WHERE part = ?1 AND row = ?2), ?3), ',' || ?4 || ','
        WHERE true ON CONFLICT DO UPDATE SET pending = pending || ?4 || ','
            WHERE NOT instr(pending, ',' || ?4 || ',')";
    let mut insert = connection.prepare_cached(sql)?;
    let nothing = Document::default().to_bytes();
    for change in &body.changes {
        let id = change.document;
        insert.execute((id.part(), id.row.0.as_bytes(), &nothing, n))?;
    }
    Ok(())
}

/// Transaction `n` is pending no more. Its documents stay in the base until they are [released](release) or taken back.
pub(crate) fn leave(connection: &Connection, n: i64, body: &Body) -> Result<(), StoreError> {
    let sql = "UPDATE sync_base SET pending = replace(pending, ',' || ?3 || ',', ',') WHERE part = ?1 AND row = ?2";
    let mut update = connection.prepare_cached(sql)?;
    for change in &body.changes {
        update.execute((change.document.part(), change.document.row.0.as_bytes(), n))?;
    }
    Ok(())
}

/// The pending transactions that are done on top of the base, by their numbers.
pub(crate) fn on_top(connection: &Connection) -> Result<HashSet<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT pending FROM sync_base")?;
    let mut found = statement.query([])?;
    let mut numbers = HashSet::new();
    while let Some(row) = found.next()? {
        let pending: String = row.get(0)?;
        for number in pending.split(',').filter(|number| !number.is_empty()) {
            numbers.insert(number.parse().map_err(StoreError::corrupt)?);
        }
    }
    Ok(numbers)
}

/// True if a pending transaction is done on top of the base. What a new copy was too short for is not.
pub(crate) fn is_on_top(connection: &Connection, n: i64, body: &Body) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sync_base WHERE part = ?1 AND row = ?2 AND instr(pending, ',' || ?3 || ',')";
    let mut statement = connection.prepare_cached(sql)?;
    for change in &body.changes {
        if statement.exists((change.document.part(), change.document.row.0.as_bytes(), n))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Folds a transaction of the stream into the base.
pub(crate) fn fold(connection: &Connection, opened: &Opened, seq: Seq) -> Result<(), StoreError> {
    if broken!(BaseStandsStill) {
        return Ok(());
    }
    let arrival = Arrival {
        place: Place::Stream(seq),
        time: opened.body.time,
    };
    for (name, decoded) in opened.body.changes.iter().zip(&opened.changes) {
        let id = name.document;
        let (Some(table), Some(decoded)) = (Schema::hospital().get(id.table), decoded) else {
            continue;
        };
        let Some(mut document) = read(connection, id)? else {
            continue;
        };
        let actor = decoded.change.actor();
        if document.contains(actor, decoded.change.seq) {
            continue;
        }
        // What cannot be folded is left out here as ingest leaves it out of the document.
        if document.fold(table, decoded, arrival).is_ok() {
            let sql = "UPDATE sync_base SET state = ?3 WHERE part = ?1 AND row = ?2";
            connection
                .prepare_cached(sql)?
                .execute((id.part(), id.row.0.as_bytes(), document.to_bytes()))?;
        }
    }
    Ok(())
}

/// The ends of the history of each document of the base: as the base has it, and with what is pending. A base may be large and
/// is looked at with each page, so nothing more of its documents is read.
pub(crate) fn heads(connection: &Connection) -> Result<Vec<BaseHeads>, StoreError> {
    let sql = "SELECT b.part, b.row, b.state, d.state FROM sync_base AS b
        LEFT JOIN sync_documents AS d ON d.part = b.part AND d.row = b.row";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let id = row.get_ref(1)?.as_blob().map_err(StoreError::corrupt)?;
        let state = row.get_ref(2)?.as_blob().map_err(StoreError::corrupt)?;
        let document = row.get_ref(3)?.as_blob_or_null().map_err(StoreError::corrupt)?;
        let document = document.map(Document::heads_of).transpose();
        all.push(BaseHeads {
            id: DocumentId::from_part(row.get(0)?, RowId(uuid(id)?)),
            base: Document::heads_of(state).map_err(StoreError::corrupt)?,
            document: document.map_err(StoreError::corrupt)?.unwrap_or_default(),
        });
    }
    Ok(all)
}

/// The ends of a document's history.
pub(crate) struct BaseHeads {
    pub id: DocumentId,
    /// As the stream has them.
    pub base: Vec<ChangeHash>,
    /// With what is pending.
    pub document: Vec<ChangeHash>,
}

fn read(connection: &Connection, id: DocumentId) -> Result<Option<Document>, StoreError> {
    let state: Option<Vec<u8>> = connection
        .prepare_cached("SELECT state FROM sync_base WHERE part = ?1 AND row = ?2")?
        .query_row((id.part(), id.row.0.as_bytes()), |row| row.get(0))
        .optional()?;
    state
        .map(|state| Document::from_bytes(&state).map_err(StoreError::corrupt))
        .transpose()
}

/// True if documents lack some of a transaction's changes as the stream has them here. Restricted documents do not tell: they
/// may have been taken away.
pub(crate) fn lacks(connection: &Connection, opened: &Opened) -> Result<bool, StoreError> {
    let sql = "SELECT coalesce(b.state, d.state) FROM sync_documents AS d LEFT JOIN sync_base AS b USING (part, row)
        WHERE part = ?1 AND row = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    for (name, decoded) in opened.body.changes.iter().zip(&opened.changes) {
        let (Facet::Main, Some(decoded)) = (name.document.facet, decoded) else {
            continue;
        };
        let id = name.document;
        let state: Option<Vec<u8>> = statement
            .query_row((id.part(), id.row.0.as_bytes()), |row| row.get(0))
            .optional()?;
        let document = state.map(|state| Document::from_bytes(&state)).transpose();
        let document = document.map_err(StoreError::corrupt)?.unwrap_or_default();
        if !document.contains(decoded.change.actor(), decoded.change.seq) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Drops the transaction's documents from the base, except those that others are pending on.
pub(crate) fn release(connection: &Connection, body: &Body) -> Result<(), StoreError> {
    let sql = "DELETE FROM sync_base WHERE part = ?1 AND row = ?2 AND pending = ','";
    let mut delete = connection.prepare_cached(sql)?;
    for change in &body.changes {
        delete.execute((change.document.part(), change.document.row.0.as_bytes()))?;
    }
    Ok(())
}

/// Takes everything out of the base.
pub(crate) fn take_all(connection: &Connection) -> Result<Documents, StoreError> {
    let mut documents = Documents::new();
    let mut statement = connection.prepare_cached("SELECT part, row, state FROM sync_base")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let id = DocumentId::from_part(row.get(0)?, RowId(uuid(&row.get::<_, Vec<u8>>(1)?)?));
        let document = Document::from_bytes(&row.get::<_, Vec<u8>>(2)?).map_err(StoreError::corrupt)?;
        documents.insert(id, Arc::new(document));
    }
    connection.execute("DELETE FROM sync_base", [])?;
    Ok(documents)
}

/// Puts the documents back to the base. Nothing is pending on them any more. Returns the tables whose rows changed.
pub(crate) fn take_back(
    connection: &Connection,
    side: Side,
    now: Timestamp,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let documents = take_all(connection)?;
    let mut writing = Writing::new(connection, side, now);
    writing.follow(&Job::Replace {
        documents: &documents,
        now,
    })?;
    writing.finish()
}

/// Carries out a pending transaction again as it is. Returns the tables whose rows changed.
pub(crate) fn put_back(
    connection: &Connection,
    side: Side,
    n: i64,
    opened: &Opened,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut writing = Writing::new(connection, side, opened.body.time);
    writing.follow(&Job::Ingest {
        opened,
        place: Place::Pending,
        authority: Authority::Follow,
    })?;
    keep(connection, n, &opened.body)?;
    writing.finish()
}

/// True if a transaction builds on one of these changes.
pub(crate) fn builds_on(opened: &Opened, gone: &HashSet<ChangeName>) -> bool {
    first_dependency(opened, gone).is_some()
}

/// True if a transaction refers to a row that one of these changes is of.
pub(crate) fn refers_to(opened: &Opened, changes: &HashSet<ChangeName>) -> bool {
    let rows = Needs::of(opened).presence;
    let is_referred_to = |name: &ChangeName| rows.contains(&RowKey::of(&name.document));
    !rows.is_empty() && changes.iter().any(is_referred_to)
}

/// The first of these changes that a transaction builds on.
pub(crate) fn first_dependency(opened: &Opened, gone: &HashSet<ChangeName>) -> Option<ChangeName> {
    let changes = opened.body.changes.iter().zip(&opened.changes);
    let mut deps = changes.flat_map(|(name, change)| {
        let document = name.document;
        let deps = change.iter().flat_map(|c| &c.change.deps);
        deps.map(move |hash| ChangeName { document, hash: *hash })
    });
    deps.find(|dep| gone.contains(dep))
}
