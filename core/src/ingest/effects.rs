//! What follows from changed documents: presence, claims, references, rows, conflicts.
//!
//! One row's change can touch others: a bed released gives a waiting claim its turn, a reference to a deleted row brings that
//! row back. So rows are worked off a queue until nothing follows any more.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    Claim, Claimant, Commit, Documents, Needs, Presence, Rejection, RowKey, RowState, Stop, WorkingSet,
    conflict::conflicts,
    project::{facets, project, references, shown_value},
};
use crate::{
    document::{Document, DocumentId, Origin, Place},
    ids::{RowId, Timestamp},
    row::Row,
    schema::{Column, ColumnId, Schema, Table},
    value::Value,
};

/// Who works out what follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    /// A judge of the stream: whatever the set's documents refer to is there.
    Stream,
    /// A judge of what is pending, on documents that may refer to rows that are not there.
    Pending,
    /// Nobody judges.
    Follow,
}

impl Stance {
    fn judges(self) -> bool {
        self != Self::Follow
    }
}

/// Works out all that follows from `documents` taking the place of those in the set.
pub(super) fn effects(set: &WorkingSet, documents: Documents, now: Timestamp, stance: Stance) -> Result<Commit, Stop> {
    let mut queue: VecDeque<RowKey> = VecDeque::new();
    for id in documents.keys() {
        if Schema::hospital().get(id.table).is_some() && queue.back() != Some(&RowKey::of(id)) {
            queue.push_back(RowKey::of(id));
        }
    }
    let commit = Commit {
        documents,
        judged: stance.judges(),
        ..Commit::default()
    };
    let mut work = Work {
        set,
        commit,
        needs: Needs::default(),
        stance,
        revived: BTreeSet::new(),
        unfounded: BTreeSet::new(),
        queue,
        steps: 0,
    };
    while work.follow_up()? {}
    work.conflicts(now);
    Ok(work.commit)
}

struct Work<'a> {
    set: &'a WorkingSet,
    commit: Commit,
    needs: Needs,
    stance: Stance,
    /// Deleted rows that a row of this commit references.
    revived: BTreeSet<RowKey>,
    /// Rows that a follower cannot show: what they must refer to is not there.
    unfounded: BTreeSet<RowKey>,
    queue: VecDeque<RowKey>,
    steps: u32,
}

impl Work<'_> {
    /// Works off the queue and looks at where references lead. True if rows have to go for it, and something follows from that.
    fn follow_up(&mut self) -> Result<bool, Stop> {
        while let Some(key) = self.queue.pop_front() {
            self.row(key);
            self.steps += 1;
            assert!(self.steps < 1_000_000, "BUG: rows keep following from each other");
        }
        if !self.needs.is_empty() {
            return Err(Stop::Needs(std::mem::take(&mut self.needs)));
        }
        self.check_references()
    }

    fn document(&mut self, id: &DocumentId) -> Option<&Arc<Document>> {
        if let Some(document) = self.commit.documents.get(id) {
            return Some(document);
        }
        let found = self.set.shared_document(id);
        if found.is_none() {
            self.needs.documents.insert(*id);
        }
        found
    }

    fn presence(&mut self, key: &RowKey) -> Option<Presence> {
        if let Some(state) = self.commit.rows.get(key) {
            return Some(if state.shown { Presence::Shown } else { Presence::Hidden });
        }
        let made_here = self
            .commit
            .documents
            .get(&DocumentId::main(key.table, key.row))
            .is_some_and(|d| !d.is_empty());
        match self.set.presence(key) {
            Some(Presence::Absent) | None if made_here => Some(Presence::Shown),
            Some(presence) => Some(presence),
            None => {
                self.needs.presence.insert(*key);
                None
            }
        }
    }

    /// What the row referenced before this step of the work, if it was shown.
    fn referenced_before(&self, table: &'static Table, key: RowKey) -> Vec<(ColumnId, RowKey)> {
        match self.commit.rows.get(&key) {
            Some(state) if state.shown => references(table, &state.row).map(|(c, to)| (c.id, to)).collect(),
            Some(_) => Vec::new(),
            None => referenced_in(self.set, table, key),
        }
    }

    fn row(&mut self, key: RowKey) {
        let table = Schema::hospital().by_id(key.table);
        // Whatever is missing is asked for together.
        let missing = facets(table, key).filter(|id| self.document(id).is_none()).count();
        if self.set.presence(&key).is_none() {
            self.needs.presence.insert(key);
            return;
        }
        if missing > 0 {
            return;
        }
        let mut found = facets(table, key).filter_map(|id| self.document(&id).cloned());
        let (main, restricted) = (found.next().expect("BUG: just found"), found.next());
        drop(found);
        if main.is_empty() {
            self.vanish(table, key);
            return;
        }
        let Some(shown) = self.is_shown(key, &main) else {
            return;
        };
        let shown = shown && !self.unfounded.contains(&key);
        if self.unfounded.contains(&key) {
            self.look_at_referrers(key);
        }
        self.claims(table, key, &main, shown);
        drop(main);
        let main = self
            .document(&DocumentId::main(key.table, key.row))
            .expect("BUG: just found");
        let row = project(table, key, main, restricted.as_deref().filter(|d| !d.is_empty()));
        let before = self.referenced_before(table, key);
        self.follow_references(&before, shown.then_some(&row), table);
        self.commit.rows.insert(key, RowState { row, shown });
    }

    /// A row whose document became empty (its only transaction was refused): it is taken out of its table.
    fn vanish(&mut self, table: &'static Table, key: RowKey) {
        if let Some(before) = shown_in(self.set, table, key) {
            self.release(table, key);
            self.look_at_referrers(key);
            self.follow_references(&referenced_in(self.set, table, key), None, table);
            self.commit.rows.insert(
                key,
                RowState {
                    row: before,
                    shown: false,
                },
            );
        }
    }

    /// A row goes that nobody deleted, so rows of the tables may still refer to it. Those of this commit are looked at anyway.
    fn look_at_referrers(&mut self, key: RowKey) {
        if self.set.presence(&key) != Some(Presence::Shown) {
            return;
        }
        match self.set.referrers(&key) {
            None => drop(self.needs.referrers.insert(key)),
            Some(referrers) => {
                let others = referrers.iter().filter(|r| !self.commit.rows.contains_key(r));
                self.queue.extend(others);
            }
        }
    }

    fn is_shown(&mut self, key: RowKey, main: &Document) -> Option<bool> {
        if !main.is_deleted() || self.revived.contains(&key) {
            return Some(true);
        }
        let Some(referrers) = self.set.referrers(&key) else {
            self.needs.referrers.insert(key);
            return None;
        };
        let refers = |state: &RowState| {
            state.shown && references(Schema::hospital().by_id(state.row.table), &state.row).any(|(_, to)| to == key)
        };
        let elsewhere = referrers.iter().any(|r| *r != key && !self.commit.rows.contains_key(r));
        Some(elsewhere || self.commit.rows.iter().any(|(r, state)| *r != key && refers(state)))
    }

    /// Rows that `row` newly references must be there; those that it no longer references may now be hidden.
    fn follow_references(&mut self, before: &[(ColumnId, RowKey)], row: Option<&Row>, table: &'static Table) {
        let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
        old.extend(before.iter().map(|(_, to)| *to));
        new.extend(row.into_iter().flat_map(|r| references(table, r)).map(|(_, to)| to));
        for target in new.difference(&old) {
            if self.presence(target) == Some(Presence::Hidden) && self.revived.insert(*target) {
                self.queue.push_back(*target);
            }
        }
        for target in old.difference(&new) {
            let main = DocumentId::main(target.table, target.row);
            if self.document(&main).is_some_and(|d| d.is_deleted()) {
                // Unless somebody else refers to it too.
                self.revived.remove(target);
                self.queue.push_back(*target);
            }
        }
    }

    /// Brings the row's claims up to date and tells rows that won or lost by it.
    fn claims(&mut self, table: &'static Table, key: RowKey, main: &Document, shown: bool) {
        for column in table.columns.iter().filter(|c| c.claim) {
            let old = self.claimed_before(key, column);
            let new = if shown { claim_of(key, column, main) } else { None };
            // A judge's store is at rest: who claims what is as it was, and need not be asked for.
            if self.stance.judges() && old.is_some() && old == new {
                continue;
            }
            if let Some((claim, _)) = old.filter(|(claim, _)| new.as_ref().is_none_or(|(n, _)| n != claim)) {
                self.update_claim(&claim, key, None);
            }
            if let Some((claim, claimant)) = new {
                self.update_claim(&claim, key, Some(claimant));
            } else {
                self.set_lost(key, column, false);
            }
        }
    }

    fn release(&mut self, table: &'static Table, key: RowKey) {
        for column in table.columns.iter().filter(|c| c.claim) {
            if let Some((claim, _)) = self.claimed_before(key, column) {
                self.update_claim(&claim, key, None);
            }
        }
    }

    /// What the row claimed before this step of the work: an earlier step of the same commit may have changed it.
    fn claimed_before(&self, key: RowKey, column: &'static Column) -> Option<(Claim, Claimant)> {
        let id = DocumentId::main(key.table, key.row);
        let (shown, worked) = match self.commit.rows.get(&key) {
            Some(state) => (state.shown, self.commit.documents.get(&id)),
            None => (self.set.presence(&key) == Some(Presence::Shown), None),
        };
        let document = worked.map(Arc::as_ref).or_else(|| self.set.document(&id))?;
        shown.then(|| claim_of(key, column, document)).flatten()
    }

    fn update_claim(&mut self, claim: &Claim, key: RowKey, claimant: Option<Claimant>) {
        let current = match (self.commit.claims.get(claim), self.set.claimants(claim)) {
            (Some(list), _) => list.clone(),
            (None, Some(list)) => list.to_vec(),
            (None, None) => {
                self.needs.claims.insert(claim.clone());
                return;
            }
        };
        let mut list = current.clone();
        list.retain(|c| c.row != key.row);
        list.extend(claimant);
        list.sort_unstable();
        let column = Schema::hospital().by_id(claim.table).by_id(claim.column);
        for (i, claimant) in list.iter().enumerate() {
            self.set_lost(
                RowKey {
                    table: claim.table,
                    row: claimant.row,
                },
                column,
                i > 0,
            );
        }
        if list != current {
            self.commit.claims.insert(claim.clone(), list);
        }
    }

    fn set_lost(&mut self, key: RowKey, column: &Column, lost: bool) {
        let id = DocumentId::main(key.table, key.row);
        let Some(document) = self.document(&id) else { return };
        if document.lost_claims.contains(&column.id) == lost {
            return;
        }
        let document = Arc::clone(document);
        let changed = Arc::make_mut(self.commit.documents.entry(id).or_insert(document));
        changed.lost_claims.retain(|c| *c != column.id);
        if lost {
            changed.lost_claims.push(column.id);
        }
        self.queue.push_back(key);
    }

    /// Every reference of a shown row leads to a shown row. A judge refuses what doesn't; a follower, who may not have
    /// everything, shows null or, where that cannot be, not yet the row: then this is true, and something follows from that.
    /// Null is shown in the table only: the document refers to the row that was not there, which may have come.
    fn check_references(&mut self) -> Result<bool, Stop> {
        let (mut broken, mut nulls) = (None, Vec::new());
        let rows = &self.commit.rows;
        // This commit may take a row out of its table that was referred to before.
        let has_gone = |key: &RowKey| rows.get(key).is_some_and(|state| !state.shown);
        let shown = rows.iter().filter(|(_, state)| state.shown);
        let all: Vec<(RowKey, &Column, RowKey, bool)> = shown
            .flat_map(|(key, state)| {
                let table = Schema::hospital().by_id(key.table);
                let before = referenced_in(self.set, table, *key);
                references(table, &state.row).map(move |(column, to)| {
                    let is_new = !before.contains(&(column.id, to)) || has_gone(&to);
                    (*key, column, to, is_new)
                })
            })
            .filter(|(.., is_new)| *is_new || self.stance != Stance::Stream)
            .collect();
        for (key, column, target, is_new) in all {
            // What is not loaded is asked for.
            let Some(presence @ (Presence::Absent | Presence::Hidden)) = self.presence(&target) else {
                continue;
            };
            if presence == Presence::Hidden && !is_new && self.revived.insert(target) {
                self.queue.push_back(target);
                continue;
            }
            if self.stance.judges() && is_new {
                broken.get_or_insert_with(|| {
                    let table = Schema::hospital().by_id(key.table);
                    Rejection::broken_reference(table, key, column, target, "that does not exist")
                });
                continue;
            }
            if !column.not_null {
                nulls.push((key, column));
            } else if self.unfounded.insert(key) {
                self.queue.push_back(key);
            }
        }
        if !self.needs.is_empty() {
            return Err(Stop::Needs(std::mem::take(&mut self.needs)));
        }
        if let Some(rejection) = broken {
            return Err(Stop::Rejected(rejection));
        }
        if !self.queue.is_empty() {
            return Ok(true);
        }
        for (key, column) in nulls {
            let state = self.commit.rows.get_mut(&key).expect("BUG: its key came from here");
            state.row.values[usize::from(column.id.0)] = Value::Null;
        }
        Ok(false)
    }

    fn conflicts(&mut self, now: Timestamp) {
        for (key, state) in &self.commit.rows {
            let table = Schema::hospital().by_id(key.table);
            let old = |id: &DocumentId| self.set.shared_document(id);
            let new = |id: &DocumentId| self.commit.documents.get(id).or_else(|| self.set.shared_document(id));
            let mut ids = facets(table, *key);
            let (main, restricted) = (DocumentId::main(key.table, key.row), ids.nth(1));
            let of = |main: Option<&Arc<Document>>, restricted: Option<&Arc<Document>>, shown: bool| {
                main.map(|main| conflicts(table, *key, main, restricted.map(Arc::as_ref), shown, now))
                    .unwrap_or_default()
            };
            let was_shown = self.set.presence(key) == Some(Presence::Shown);
            let before = of(old(&main), restricted.as_ref().and_then(old), was_shown);
            let after = of(new(&main), restricted.as_ref().and_then(new), state.shown);
            for settled in before.iter().filter(|b| after.iter().all(|a| a.id != b.id)) {
                self.commit.conflicts.insert(settled.id, None);
            }
            for raised in after {
                let same = before.iter().any(|b| b.id == raised.id && b.sides == raised.sides);
                if !same {
                    self.commit.conflicts.insert(raised.id, Some(raised));
                }
            }
        }
    }
}

/// The row as the set shows it.
pub(super) fn shown_in(set: &WorkingSet, table: &'static Table, key: RowKey) -> Option<Row> {
    if set.presence(&key) != Some(Presence::Shown) {
        return None;
    }
    let mut ids = facets(table, key);
    let main = set.document(&ids.next()?)?;
    let restricted = ids.next().and_then(|id| set.document(&id)).filter(|d| !d.is_empty());
    Some(project(table, key, main, restricted))
}

/// What the row references as the set shows it; nothing if it is not shown.
fn referenced_in(set: &WorkingSet, table: &'static Table, key: RowKey) -> Vec<(ColumnId, RowKey)> {
    if set.presence(&key) != Some(Presence::Shown) {
        return Vec::new();
    }
    let mut documents = facets(table, key).map(|id| set.document(&id));
    let Some(main) = documents.next().flatten() else {
        return Vec::new();
    };
    let restricted = documents.next().flatten().filter(|d| !d.is_empty());
    let columns = table
        .columns
        .iter()
        .filter_map(|column| Some((column, column.references?)));
    columns
        .filter_map(|(column, to)| match shown_value(column, key, main, restricted) {
            Value::Uuid(id) => Some((
                column.id,
                RowKey {
                    table: to,
                    row: RowId(id),
                },
            )),
            _ => None,
        })
        .collect()
}

/// What a row claims.
pub(super) fn claims_of(table: &Table, key: RowKey, main: &Document) -> impl Iterator<Item = Claim> {
    let claimed = table.columns.iter().filter(|column| column.claim);
    claimed.filter_map(move |column| claim_of(key, column, main).map(|(claim, _)| claim))
}

/// What a row claims in a column.
fn claim_of(key: RowKey, column: &Column, main: &Document) -> Option<(Claim, Claimant)> {
    debug_assert!(!column.restricted, "BUG: a restricted column is claimed");
    let op = main.winner(column, column.first_in_stream)?;
    let value = main.show(column, op);
    (!value.is_null()).then(|| claim_to(key, column, value, op.origin))
}

/// A row's claim to a value that it was given at a place of the stream.
pub(super) fn claim_to(key: RowKey, column: &Column, value: Value, origin: Option<Origin>) -> (Claim, Claimant) {
    let (place, time) = origin.map_or((Place::Pending, Timestamp(i64::MAX)), |o| (o.place, o.time));
    let claim = Claim {
        table: key.table,
        column: column.id,
        value,
    };
    let row = key.row;
    (claim, Claimant { place, time, row })
}
