//! The slice of a store that some transactions touch: what was loaded, and what is to be written back.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use foldhash::{HashMap, HashSet};

use super::{Commit, Conflict, ConflictId, effects::shown_in, project::references, replace::Newcomer};
use crate::{
    checksum::Checksums,
    document::{Actor, Document, DocumentId, Place},
    ids::{ChangeHash, RowId, Timestamp, UserId},
    row::Row,
    schema::{Column, ColumnId, Schema, TableId},
    value::Value,
};

/// Names a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RowKey {
    /// Its table.
    pub table: TableId,
    /// Its id.
    pub row: RowId,
}

impl RowKey {
    /// The row that a document belongs to.
    pub fn of(document: &DocumentId) -> Self {
        Self {
            table: document.table,
            row: document.row,
        }
    }
}

/// Whether the tables show a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Nobody made it.
    Absent,
    /// It was deleted.
    Hidden,
    /// It is in its table.
    Shown,
}

/// A row and whether its table shows it. A hidden row's values tell its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowState {
    /// Its values.
    pub row: Row,
    /// In the table.
    pub shown: bool,
}

/// A value that only one row of a column may hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Claim {
    /// The table.
    pub table: TableId,
    /// The column.
    pub column: ColumnId,
    /// The value, never null.
    pub value: Value,
}

/// A row that claims a value. The least of them has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Claimant {
    /// Where in the stream it claimed.
    pub place: Place,
    /// When, for claims that have no place yet.
    pub time: Timestamp,
    /// The row.
    pub row: RowId,
}

/// What was loaded from a store and what has been done to it since.
#[derive(Debug, Default)]
pub struct WorkingSet {
    documents: HashMap<DocumentId, Arc<Document>>,
    presence: HashMap<RowKey, Presence>,
    claims: HashMap<Claim, Vec<Claimant>>,
    /// Those of the tables and of `effects` together.
    referrers: HashMap<RowKey, BTreeSet<RowKey>>,
    changes: HashMap<(DocumentId, ChangeHash), bool>,
    effects: Effects,
    /// Stands for each document that the store does not have.
    nothing: Arc<Document>,
}

/// What a store must write.
#[derive(Debug, Default)]
pub struct Effects {
    /// Documents.
    pub documents: BTreeMap<DocumentId, Arc<Document>>,
    /// Rows; those not shown are deleted from their tables.
    pub rows: BTreeMap<RowKey, RowState>,
    /// Claims: each replaces all claimants of its value.
    pub claims: BTreeMap<Claim, Vec<Claimant>>,
    /// What of this the store does not have yet.
    pub new: New,
    /// Of rows that are in their tables: the columns that may have other values there.
    pub changed: HashMap<RowKey, BTreeSet<ColumnId>>,
    /// Conflicts; `None` for settled ones.
    pub conflicts: BTreeMap<ConflictId, Option<Conflict>>,
    /// Those of them that were settled and then raised anew: one that is open in the store is another one.
    pub reopened: BTreeSet<ConflictId>,
    /// Actors and their users; one that is known already stays as it is.
    pub actors: BTreeMap<Actor, UserId>,
    /// What to add to the store's checksums.
    pub checksums: Checksums,
}

/// What the store does not have yet, so that it need not look for it.
#[derive(Debug, Default)]
pub struct New {
    /// Documents.
    pub documents: HashSet<DocumentId>,
    /// Rows that are not in their tables.
    pub rows: HashSet<RowKey>,
    /// Values that nobody claims.
    pub claims: HashSet<Claim>,
}

impl Effects {
    /// True if there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.rows.is_empty() && self.claims.is_empty() && self.conflicts.is_empty()
    }
}

impl WorkingSet {
    /// A loaded document; an empty one if the store has none. `None` if it was not loaded.
    pub fn document(&self, id: &DocumentId) -> Option<&Document> {
        self.shared_document(id).map(Arc::as_ref)
    }

    pub(super) fn shared_document(&self, id: &DocumentId) -> Option<&Arc<Document>> {
        self.documents.get(id)
    }

    /// Whether a row is there; `None` if that was not loaded.
    pub fn presence(&self, key: &RowKey) -> Option<Presence> {
        self.presence.get(key).copied()
    }

    /// Who claims a value; `None` if that was not loaded.
    pub fn claimants(&self, claim: &Claim) -> Option<&[Claimant]> {
        self.claims.get(claim).map(Vec::as_slice)
    }

    /// The rows that reference a row; `None` if that was not loaded.
    pub fn referrers(&self, key: &RowKey) -> Option<&BTreeSet<RowKey>> {
        self.referrers.get(key)
    }

    /// Whether a change is in a document's history; `None` if that was not loaded.
    pub fn knows_change(&self, document: DocumentId, hash: ChangeHash) -> Option<bool> {
        self.changes.get(&(document, hash)).copied()
    }

    /// Gives a document that the store holds (or [`Document::default`] if it holds none). What is here already stays.
    pub fn provide_document(&mut self, id: DocumentId, document: Document) {
        let nothing = &self.nothing;
        self.documents.entry(id).or_insert_with(|| {
            if document.is_empty() {
                Arc::clone(nothing)
            } else {
                Arc::new(document)
            }
        });
    }

    /// Gives what another set has loaded: documents, presence and claims. What is here already stays. Not who references a row:
    /// it may be out of date by now.
    pub fn provide_loaded(&mut self, loaded: Self) {
        for (id, document) in loaded.documents {
            self.documents.entry(id).or_insert(document);
        }
        for (key, presence) in loaded.presence {
            self.provide_presence(key, presence);
        }
        for (claim, claimants) in loaded.claims {
            self.provide_claimants(claim, claimants);
        }
    }

    /// Gives a row's presence. What is here already stays.
    pub fn provide_presence(&mut self, key: RowKey, presence: Presence) {
        self.presence.entry(key).or_insert(presence);
    }

    /// Gives a value's claimants. What is here already stays.
    pub fn provide_claimants(&mut self, claim: Claim, claimants: Vec<Claimant>) {
        self.claims.entry(claim).or_insert(claimants);
    }

    /// Gives the rows that reference a row, as the tables have them. The tables are asked again if something is to be
    /// written first: it may reference the row too.
    pub fn provide_referrers(&mut self, key: RowKey, referrers: BTreeSet<RowKey>) {
        if self.effects.rows.is_empty() {
            self.referrers.entry(key).or_insert(referrers);
        }
    }

    /// Tells whether a change is in a document's history.
    pub fn provide_change(&mut self, document: DocumentId, hash: ChangeHash, known: bool) {
        self.changes.insert((document, hash), known);
    }

    /// Carries out a commit in the set.
    pub fn apply(&mut self, commit: Commit) {
        self.note_changed(&commit);
        self.update_referrers(&commit.rows);
        self.changes
            .extend(commit.changes.into_iter().map(|change| (change, true)));
        for (id, document) in commit.documents {
            let before = self.document(&id).map_or(&[][..], |d| &d.heads);
            let is_new = before.is_empty();
            let mut change = Checksums::default();
            change.replace(id, before, &document.heads);
            self.effects.checksums += change;
            self.documents.insert(id, Arc::clone(&document));
            if self.effects.documents.insert(id, document).is_none() && is_new {
                self.effects.new.documents.insert(id);
            }
        }
        for (key, state) in commit.rows {
            let presence = if state.shown { Presence::Shown } else { Presence::Hidden };
            let before = self.presence.insert(key, presence);
            let is_new = matches!(before, Some(Presence::Absent | Presence::Hidden));
            if self.effects.rows.insert(key, state).is_none() && is_new {
                self.effects.new.rows.insert(key);
            }
        }
        for (claim, claimants) in commit.claims {
            let before = self.claims.insert(claim.clone(), claimants.clone());
            let is_new = before.is_some_and(|before| before.is_empty());
            if self.effects.claims.insert(claim.clone(), claimants).is_none() && is_new {
                self.effects.new.claims.insert(claim);
            }
        }
        for (id, mut conflict) in commit.conflicts {
            match (&mut conflict, self.effects.conflicts.get(&id)) {
                // As in the stores: one that is open already keeps the time at which it was raised.
                (Some(conflict), Some(Some(open))) => conflict.raised_at = open.raised_at,
                (Some(_), Some(None)) => drop(self.effects.reopened.insert(id)),
                (None, _) | (_, None) => {}
            }
            self.effects.conflicts.insert(id, conflict);
        }
        for (actor, user) in commit.actors {
            self.effects.actors.entry(actor).or_insert(user);
        }
    }

    /// Takes in a row that the store does not have and of which nothing else follows.
    pub(super) fn settle(&mut self, newcomer: Newcomer) {
        let Newcomer {
            id,
            document,
            row,
            claims,
        } = newcomer;
        let (key, effects) = (RowKey::of(&id), &mut self.effects);
        effects.checksums.replace(id, &[], &document.heads);
        self.documents.insert(id, Arc::clone(&document));
        effects.documents.insert(id, document);
        effects.new.documents.insert(id);
        self.presence.insert(key, Presence::Shown);
        effects.rows.insert(key, RowState { row, shown: true });
        effects.new.rows.insert(key);
        for (claim, claimant) in claims {
            self.claims.insert(claim.clone(), vec![claimant]);
            effects.new.claims.insert(claim.clone());
            effects.claims.insert(claim, vec![claimant]);
        }
    }

    /// True if it is known of some rows which others reference them.
    pub(super) fn knows_referrers(&self) -> bool {
        !self.referrers.is_empty()
    }

    /// Which columns of rows that are in their tables change. A follower's tables may lack references that its documents have.
    fn note_changed(&mut self, commit: &Commit) {
        for (key, state) in &commit.rows {
            let table = Schema::hospital().by_id(key.table);
            let before = match self.effects.rows.get(key) {
                Some(earlier) if self.effects.changed.contains_key(key) => Some(Cow::Borrowed(&earlier.row)),
                Some(_) => None,
                None => shown_in(self, table, *key).map(Cow::Owned),
            };
            let Some(before) = before else { continue };
            let differs = |column: &&Column| before.get(column.id) != state.row.get(column.id);
            let unsure = |column: &&Column| !commit.judged && column.references.is_some();
            let changed = table.columns.iter().filter(|c| differs(c) || unsure(c)).map(|c| c.id);
            let changed: Vec<ColumnId> = changed.collect();
            self.effects.changed.entry(*key).or_default().extend(changed);
        }
    }

    /// Rows that come and go may reference others, and the tables do not know of it yet.
    fn update_referrers(&mut self, rows: &BTreeMap<RowKey, RowState>) {
        if !self.knows_referrers() {
            return;
        }
        for (key, state) in rows {
            let table = Schema::hospital().by_id(key.table);
            if let Some(before) = shown_in(self, table, *key) {
                for (_, target) in references(table, &before) {
                    self.referrers.get_mut(&target).map(|rows| rows.remove(key));
                }
            }
            for (_, target) in references(table, &state.row).filter(|_| state.shown) {
                self.referrers.get_mut(&target).map(|rows| rows.insert(*key));
            }
        }
    }

    /// True if something is to be written.
    pub fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// What is to be written.
    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// Takes what is to be written; what was loaded stays.
    pub fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }
}
