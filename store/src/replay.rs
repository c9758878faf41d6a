//! A log folded from nothing, to hold another store's tables against.
//!
//! ```text
//!  log ──► Replay::fold, entry by entry, nobody judges ──► documents, rows, claims, conflicts ──► compare
//! ```
//!
//! The tables are those of a server's store, in a file of their own that nobody needs after a crash.

use std::{collections::BTreeSet, path::Path};

use holdfast_core::{
    document::{DocumentId, Place},
    ids::{ChangeHash, Seq, Timestamp},
    ingest::{Authority, ConflictId, Job, Needs},
    schema::Side,
    transaction::Opened,
};
use rusqlite::Connection;

use crate::{StoreError, checksums, schema, writing::Writing};

/// An entry of a log, opened.
#[derive(Clone, Debug)]
pub struct ReplayEntry {
    /// Its place.
    pub seq: Seq,
    /// When the server took it. Entries of the same time were taken in one database transaction.
    pub accepted_at: Timestamp,
    /// What it took.
    pub opened: Opened,
}

/// What no entry of a sound log does.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Flaw {
    /// A change builds on one that no entry before it brought.
    #[error("a change of row {} builds on change {hash}, which no entry before it brought", .document.row)]
    UnknownDependency {
        /// The document that it writes to.
        document: DocumentId,
        /// What is missing.
        hash: ChangeHash,
    },
    /// A change does not fit the document that the entries before it make.
    #[error("change {hash} does not fit row {} as the entries before it leave it", .document.row)]
    Unfoldable {
        /// The document that it writes to.
        document: DocumentId,
        /// The change.
        hash: ChangeHash,
    },
}

/// Why a log cannot be folded further.
#[derive(Debug, thiserror::Error)]
#[error("entry {seq} cannot be folded: {source}")]
pub struct ReplayError {
    /// The entry.
    pub seq: Seq,
    /// Why.
    pub source: StoreError,
}

/// A log on its way through the fold.
pub struct Replay {
    connection: Connection,
    together: Together,
}

/// The conflicts that entries of one database transaction raised and settled. The store that took them may have written only
/// the last of it.
#[derive(Default)]
struct Together {
    at: Option<Timestamp>,
    raised: BTreeSet<ConflictId>,
    settled: BTreeSet<ConflictId>,
}

impl Replay {
    /// A fold that begins, in a new file. `replay_unsure` will name the conflicts that were raised and settled by entries
    /// taken in together: whether the store has ever written them depends on what was taken in between.
    pub fn create(file: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(file)?;
        schema::prepare(&mut connection, Side::Server, None)?;
        connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "foreign_keys", false)?;
        checksums::ensure(&connection)?;
        connection.execute_batch("CREATE TABLE replay_unsure (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")?;
        Ok(Self {
            connection,
            together: Together::default(),
        })
    }

    /// Folds entries, in stream order. Tells what is wrong with them; they are folded as far as they can be all the same.
    pub fn fold(&mut self, entries: &[ReplayEntry]) -> Result<Vec<(Seq, Flaw)>, ReplayError> {
        let mut flaws = Vec::new();
        let Some(first) = entries.first() else { return Ok(flaws) };
        let at = |seq| move |source: StoreError| ReplayError { seq, source };
        let execute = |sql| self.connection.execute_batch(sql).map_err(StoreError::from);
        execute("BEGIN").map_err(at(first.seq))?;
        for group in entries.chunk_by(|a, b| a.accepted_at == b.accepted_at) {
            let mut writing = Writing::new(&self.connection, Side::Server, group[0].accepted_at);
            for entry in group {
                let found = fold_one(&self.connection, &mut writing, &mut self.together, entry);
                let found = found.map_err(at(entry.seq))?;
                flaws.extend(found.into_iter().map(|flaw| (entry.seq, flaw)));
            }
        }
        execute("COMMIT").map_err(at(first.seq))?;
        Ok(flaws)
    }

    /// The tables as the log makes them so far.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Each entry is written by itself, so that all that ever was a conflict is seen.
fn fold_one(
    connection: &Connection,
    writing: &mut Writing<'_>,
    together: &mut Together,
    entry: &ReplayEntry,
) -> Result<Vec<Flaw>, StoreError> {
    let mut flaws = unknown_dependencies(connection, &entry.opened)?;
    writing.load(&Needs::of(&entry.opened))?;
    writing.follow(&Job::Ingest {
        opened: &entry.opened,
        place: Place::Stream(entry.seq),
        authority: Authority::Follow,
    })?;
    for (document, change) in decoded(&entry.opened) {
        let there = writing.set().document(&document);
        if !there.is_some_and(|d| d.contains(change.change.actor(), change.change.seq)) {
            let hash = change.hash;
            flaws.push(Flaw::Unfoldable { document, hash });
        }
    }
    let conflicts = &writing.set().effects().conflicts;
    for id in together.add(entry.accepted_at, conflicts.iter().map(|(id, c)| (*id, c.is_some()))) {
        connection
            .prepare_cached("INSERT OR IGNORE INTO replay_unsure (id) VALUES (?1)")?
            .execute([id.to_string()])?;
    }
    writing.flush()?;
    let sql = "INSERT OR IGNORE INTO sync_changes (part, row, hash, seq) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = connection.prepare_cached(sql)?;
    for change in &entry.opened.body.changes {
        let id = change.document;
        insert.execute((id.part(), id.row.0.as_bytes(), change.hash.0, entry.seq.0 as i64))?;
    }
    Ok(flaws)
}

impl Together {
    /// Takes in what an entry does to conflicts (true: raised) and returns those that have become unsure.
    fn add(&mut self, at: Timestamp, conflicts: impl Iterator<Item = (ConflictId, bool)>) -> Vec<ConflictId> {
        if self.at != Some(at) {
            *self = Self {
                at: Some(at),
                ..Self::default()
            };
        }
        let mut unsure = Vec::new();
        for (id, raised) in conflicts {
            let (own, other) = if raised {
                (&mut self.raised, &self.settled)
            } else {
                (&mut self.settled, &self.raised)
            };
            own.insert(id);
            if other.contains(&id) {
                unsure.push(id);
            }
        }
        unsure
    }
}

/// The changes of an entry that can be read, with their documents.
fn decoded(opened: &Opened) -> impl Iterator<Item = (DocumentId, &holdfast_core::document::DecodedChange)> {
    let changes = opened.body.changes.iter().zip(&opened.changes);
    changes.filter_map(|(name, change)| Some((name.document, change.as_ref()?)))
}

fn unknown_dependencies(connection: &Connection, opened: &Opened) -> Result<Vec<Flaw>, StoreError> {
    let sql = "SELECT 1 FROM sync_changes WHERE part = ?1 AND row = ?2 AND hash = ?3";
    let mut known = connection.prepare_cached(sql)?;
    let mut flaws = Vec::new();
    let mut own: BTreeSet<(DocumentId, ChangeHash)> = BTreeSet::new();
    for (document, change) in decoded(opened) {
        for hash in change.change.deps.iter().copied() {
            let here = own.contains(&(document, hash));
            if !here && !known.exists((document.part(), document.row.0.as_bytes(), hash.0))? {
                flaws.push(Flaw::UnknownDependency { document, hash });
            }
        }
        own.insert((document, change.hash));
    }
    Ok(flaws)
}
