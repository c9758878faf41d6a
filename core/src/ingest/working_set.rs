//! The slice of a store that some transactions touch: what was loaded, and what is to be written back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{Commit, Conflict, ConflictId, Needs, effects::shown_in, project::references};
use crate::{
    checksum::Checksums,
    document::{Actor, Document, DocumentId, Place},
    ids::{ChangeHash, RowId, Timestamp, UserId},
    row::Row,
    schema::{ColumnId, Schema, TableId},
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
    beneath: Option<Beneath>,
}

/// Who may write what in a set that several parts share. What nobody owns all may read and nobody may write.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// The part that owns a row, with its documents, claims on it and references to it.
    pub(super) rows: HashMap<RowKey, usize>,
    /// The part that owns a value's claimants.
    pub(super) claims: HashMap<Claim, usize>,
}

/// The set that a part was taken from.
#[derive(Debug)]
struct Beneath {
    set: Arc<WorkingSet>,
    owners: Arc<Owners>,
    part: usize,
}

impl Beneath {
    fn row(&self, key: &RowKey) -> Option<&WorkingSet> {
        let owner = self.owners.rows.get(key);
        owner.is_none_or(|part| *part == self.part).then_some(&*self.set)
    }

    fn claim(&self, claim: &Claim) -> Option<&WorkingSet> {
        let owner = self.owners.claims.get(claim);
        owner.is_none_or(|part| *part == self.part).then_some(&*self.set)
    }
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
    /// Conflicts; `None` for settled ones.
    pub conflicts: BTreeMap<ConflictId, Option<Conflict>>,
    /// Actors and their users; one that is known already stays as it is.
    pub actors: BTreeMap<Actor, UserId>,
    /// What to add to the store's checksums.
    pub checksums: Checksums,
}

impl Effects {
    /// True if there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.rows.is_empty() && self.claims.is_empty() && self.conflicts.is_empty()
    }
}

impl WorkingSet {
    /// A part of a shared set: it sees of it what it owns and what nobody owns, and keeps to itself what it does.
    pub(super) fn part(set: &Arc<Self>, owners: &Arc<Owners>, part: usize) -> Self {
        let beneath = Beneath {
            set: Arc::clone(set),
            owners: Arc::clone(owners),
            part,
        };
        Self {
            beneath: Some(beneath),
            ..Self::default()
        }
    }

    /// Lets go of the shared set; what was done stays.
    pub(super) fn leave(&mut self) {
        self.beneath = None;
    }

    /// What a commit would write that this part does not own.
    pub(super) fn trespass(&self, commit: &Commit) -> Needs {
        let mut needs = Needs::default();
        let Some(Beneath { owners, part, .. }) = &self.beneath else {
            return needs;
        };
        let foreign = |key: &RowKey| owners.rows.get(key) != Some(part);
        needs.documents = commit
            .documents
            .keys()
            .filter(|id| foreign(&RowKey::of(id)))
            .copied()
            .collect();
        let rows = commit.rows.keys().filter(|key| foreign(key));
        needs
            .documents
            .extend(rows.map(|key| DocumentId::main(key.table, key.row)));
        let claims = commit
            .claims
            .keys()
            .filter(|claim| owners.claims.get(*claim) != Some(part));
        needs.claims = claims.cloned().collect();
        needs
    }

    /// Takes over what a part of this set has done.
    pub(super) fn absorb(&mut self, part: Self) {
        self.documents.extend(part.documents);
        self.presence.extend(part.presence);
        self.claims.extend(part.claims);
        self.referrers.extend(part.referrers);
        self.changes.extend(part.changes);
        let mut effects = part.effects;
        self.effects.documents.append(&mut effects.documents);
        self.effects.rows.append(&mut effects.rows);
        self.effects.claims.append(&mut effects.claims);
        self.effects.conflicts.append(&mut effects.conflicts);
        self.effects.checksums += effects.checksums;
        self.add_actors(effects.actors);
    }

    /// Gives all that was done here other places in the stream, which must be in the same order as those that it has.
    pub(super) fn renumber(&mut self, place: impl Fn(Place) -> Place) {
        for (id, document) in &mut self.effects.documents {
            Arc::make_mut(document).renumber(&place);
            self.documents.insert(*id, Arc::clone(document));
        }
        for (claim, claimants) in &mut self.effects.claims {
            for claimant in claimants.iter_mut() {
                claimant.place = place(claimant.place);
            }
            self.claims.insert(claim.clone(), claimants.clone());
        }
    }

    /// A loaded document; an empty one if the store has none. `None` if it was not loaded.
    pub fn document(&self, id: &DocumentId) -> Option<&Document> {
        self.shared_document(id).map(Arc::as_ref)
    }

    pub(super) fn shared_document(&self, id: &DocumentId) -> Option<&Arc<Document>> {
        let beneath = || self.beneath.as_ref()?.row(&RowKey::of(id))?.documents.get(id);
        self.documents.get(id).or_else(beneath)
    }

    /// Whether a row is there; `None` if that was not loaded.
    pub fn presence(&self, key: &RowKey) -> Option<Presence> {
        let beneath = || self.beneath.as_ref()?.row(key)?.presence.get(key);
        self.presence.get(key).or_else(beneath).copied()
    }

    /// Who claims a value; `None` if that was not loaded.
    pub fn claimants(&self, claim: &Claim) -> Option<&[Claimant]> {
        let beneath = || self.beneath.as_ref()?.claim(claim)?.claims.get(claim);
        self.claims.get(claim).or_else(beneath).map(Vec::as_slice)
    }

    /// The rows that reference a row; `None` if that was not loaded.
    pub fn referrers(&self, key: &RowKey) -> Option<&BTreeSet<RowKey>> {
        let beneath = || self.beneath.as_ref()?.row(key)?.referrers.get(key);
        self.referrers.get(key).or_else(beneath)
    }

    /// Whether a change is in a document's history; `None` if that was not loaded.
    pub fn knows_change(&self, document: DocumentId, hash: ChangeHash) -> Option<bool> {
        let change = (document, hash);
        let beneath = || self.beneath.as_ref()?.row(&RowKey::of(&document))?.changes.get(&change);
        self.changes.get(&change).or_else(beneath).copied()
    }

    /// Gives a document that the store holds (or [`Document::default`] if it holds none). What is here already stays.
    pub fn provide_document(&mut self, id: DocumentId, document: Document) {
        self.documents.entry(id).or_insert_with(|| Arc::new(document));
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
        self.update_referrers(&commit.rows);
        self.changes
            .extend(commit.changes.into_iter().map(|change| (change, true)));
        for (id, document) in commit.documents {
            let before = self.document(&id).map_or(&[][..], |d| &d.heads);
            let mut change = Checksums::default();
            change.replace(id, before, &document.heads);
            self.effects.checksums += change;
            self.documents.insert(id, Arc::clone(&document));
            self.effects.documents.insert(id, document);
        }
        for (key, state) in commit.rows {
            self.presence
                .insert(key, if state.shown { Presence::Shown } else { Presence::Hidden });
            self.effects.rows.insert(key, state);
        }
        for (claim, claimants) in commit.claims {
            self.claims.insert(claim.clone(), claimants.clone());
            self.effects.claims.insert(claim, claimants);
        }
        self.effects.conflicts.extend(commit.conflicts);
        self.add_actors(commit.actors);
    }

    /// Takes note of who wrote; one that is known stays as it is.
    pub(super) fn add_actors(&mut self, actors: BTreeMap<Actor, UserId>) {
        for (actor, user) in actors {
            self.effects.actors.entry(actor).or_insert(user);
        }
    }

    /// Rows that come and go may reference others, and the tables do not know of it yet.
    fn update_referrers(&mut self, rows: &BTreeMap<RowKey, RowState>) {
        let beneath = self.beneath.as_ref().is_some_and(|b| !b.set.referrers.is_empty());
        if self.referrers.is_empty() && !beneath {
            return;
        }
        for (key, state) in rows {
            let table = Schema::hospital().by_id(key.table);
            if let Some(before) = shown_in(self, table, *key) {
                for (_, target) in references(table, &before) {
                    self.known_referrers(target).map(|rows| rows.remove(key));
                }
            }
            for (_, target) in references(table, &state.row).filter(|_| state.shown) {
                self.known_referrers(target).map(|rows| rows.insert(*key));
            }
        }
    }

    fn known_referrers(&mut self, key: RowKey) -> Option<&mut BTreeSet<RowKey>> {
        if let (false, Some(beneath)) = (self.referrers.contains_key(&key), &self.beneath) {
            let known = beneath.row(&key)?.referrers.get(&key)?.clone();
            self.referrers.insert(key, known);
        }
        self.referrers.get_mut(&key)
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
