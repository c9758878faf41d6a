//! The write path, one pure function: what a transaction does to documents, rows, claims and conflicts.
//!
//! ```text
//!               ┌─────────────── needs (load these, call again) ◄───────────┐
//!               ▼                                                           │
//!  store ──► WorkingSet ──► ingest(set, transaction, place, authority) ──► Commit or Rejection
//!               ▲                                                           │
//!               └──────────────────────── apply ◄───────────────────────────┘
//!               └──► effects: documents, rows, claims, conflicts ──► one database transaction
//! ```
//!
//! The device (its own commands and the stream), the server and replay call the same function.
//!
//! *Architecture invariants*
//! - What the tables show is a function of the documents and of each transaction's place in the stream, not of the order
//!   in which a replica heard of them.
//! - Rows never break a key, a reference or a length of the tables.
//! - A rejected transaction changes nothing.

mod check;
mod conflict;
mod effects;
mod project;
mod references;
mod replace;
pub mod waiting;
mod working_set;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use effects::Stance;
use references::Reference;
use waiting::Awaited;

pub use check::Rejection;
pub use conflict::{Conflict, ConflictId, ConflictKind, Side};
pub(crate) use project::facets;
pub use working_set::{Claim, Claimant, Effects, New, Presence, RowKey, RowState, WorkingSet};

use crate::{
    document::{
        Actor, DELETED, Document, DocumentId, Facet, Place, Scalar,
        codec::{Action, OpKey, Operation},
        fold::Arrival,
    },
    ids::{ChangeHash, Seq, Timestamp, UserId},
    policy::Role,
    schema::{Merge, Schema},
    transaction::{ChangeName, Opened},
};

/// Documents, shared with whoever has them too.
pub type Documents = BTreeMap<DocumentId, Arc<Document>>;

/// What `ingest` must know before it can decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Documents with their presence.
    pub documents: BTreeSet<DocumentId>,
    /// Whether these rows are there.
    pub presence: BTreeSet<RowKey>,
    /// Who claims these values.
    pub claims: BTreeSet<Claim>,
    /// The rows that reference these rows. Load them from the tables, after writing what is not yet written.
    pub referrers: BTreeSet<RowKey>,
    /// Whether these changes are in these documents' histories.
    pub changes: BTreeSet<(DocumentId, ChangeHash)>,
}

impl Needs {
    /// True if nothing is missing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All that is missing for a transaction as far as one can tell without looking at documents. Loading it for many
    /// transactions at once saves a round trip for each.
    pub fn of(opened: &Opened) -> Self {
        let mut needs = Self::default();
        for (name, change) in opened.body.changes.iter().zip(&opened.changes) {
            let Some(table) = Schema::hospital().get(name.document.table) else {
                continue;
            };
            needs
                .documents
                .extend(project::facets(table, RowKey::of(&name.document)));
            for op in change.iter().flat_map(|c| c.change.operations()) {
                needs.of_operation(table, RowKey::of(&name.document), &op);
            }
        }
        needs
    }

    /// Adds what somebody else needs.
    pub fn extend(&mut self, more: Self) {
        self.documents.extend(more.documents);
        self.presence.extend(more.presence);
        self.claims.extend(more.claims);
        self.referrers.extend(more.referrers);
        self.changes.extend(more.changes);
    }

    fn of_operation(&mut self, table: &crate::schema::Table, key: RowKey, op: &Operation<'_>) {
        let (None, OpKey::Map(name), Action::Set(set)) = (op.object, op.key, op.action) else {
            return;
        };
        let scalar = set.scalar();
        if name == DELETED && scalar == Scalar::Bool(true) {
            self.referrers.insert(key);
        }
        let Some(column) = table.column(name) else { return };
        if column.references.is_none() && !column.claim {
            return;
        }
        let value = scalar.try_value(column);
        let Some(value) = value.filter(|v| !v.is_null()) else {
            return;
        };
        if let (Some(target), crate::value::Value::Uuid(id)) = (column.references, &value) {
            self.presence.insert(RowKey {
                table: target,
                row: crate::ids::RowId(*id),
            });
        }
        if column.claim {
            self.claims.insert(Claim {
                table: table.id,
                column: column.id,
                value,
            });
        }
    }
}

/// How much a transaction is trusted.
#[derive(Clone, Copy, Debug)]
pub enum Authority {
    /// Nobody has judged it yet: everything is checked. `import` may set what the engine otherwise sets itself and keep
    /// words outside a vocabulary.
    Judge {
        /// The maker's role.
        role: Role,
        /// Made by the server's own import.
        import: bool,
    },
    /// The stream has it: it is folded as it is.
    Follow,
}

/// What a transaction does.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Documents as they are now.
    pub documents: Documents,
    /// Rows as they are now, shown or hidden.
    pub rows: BTreeMap<RowKey, RowState>,
    /// Claims as they are now.
    pub claims: BTreeMap<Claim, Vec<Claimant>>,
    /// Conflicts as they are now; `None` if settled.
    pub conflicts: BTreeMap<ConflictId, Option<Conflict>>,
    /// Actors that wrote, and for whom.
    pub actors: BTreeMap<Actor, UserId>,
    /// The changes that are in their documents' histories now.
    pub changes: Vec<(DocumentId, ChangeHash)>,
    /// Every reference was looked at, and leads to a row that is there.
    pub judged: bool,
}

/// Why there is no [`Commit`].
#[derive(Clone, Debug)]
pub enum Stop {
    /// Load these and call again.
    Needs(Needs),
    /// The transaction builds on changes, or refers to rows, that nobody has brought yet: see [`waiting`].
    Missing(BTreeSet<Awaited>),
    /// The transaction is refused.
    Rejected(Rejection),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Something to carry out in a [`WorkingSet`].
#[derive(Clone, Debug)]
pub enum Job<'a> {
    /// See [`ingest`].
    Ingest {
        /// The transaction.
        opened: &'a Opened,
        /// Its place.
        place: Place,
        /// How much it is trusted.
        authority: Authority,
    },
    /// See [`confirm`].
    Confirm {
        /// This device's transaction.
        opened: &'a Opened,
        /// The place that the server gave it.
        seq: Seq,
    },
    /// Puts other documents in the place of those in the set: a snapshot's, or the last acknowledged ones of a transaction that
    /// was refused.
    Replace {
        /// The documents.
        documents: &'a Documents,
        /// The time of the conflicts that this raises.
        now: Timestamp,
    },
}

/// What a store does next: see [`WorkingSet::attempt`].
#[derive(Debug)]
pub enum Attempt {
    /// Load these into the set and try again.
    Load(Needs),
    /// Write these (their rows are asked about next) and try again.
    Write(Box<Effects>),
    /// It builds on changes, or refers to rows, that nobody has brought yet. Nothing is changed.
    Missing(BTreeSet<Awaited>),
    /// It is done, or refused.
    Done(Result<(), Rejection>),
}

impl WorkingSet {
    /// Carries out a job as far as what is loaded allows. The store loops until it is `Done`:
    ///
    /// ```text
    /// loop { match set.attempt(&job) {
    ///     Load(n) => load(n), Write(e) => write(e), Missing(all) => break wait(all), Done(result) => break result } }
    /// ```
    pub fn attempt(&mut self, job: &Job<'_>) -> Attempt {
        let outcome = match job {
            Job::Ingest {
                opened,
                place,
                authority,
            } => ingest(self, opened, *place, *authority),
            Job::Confirm { opened, seq } => confirm(self, opened, *seq),
            Job::Replace { documents, now } => replace::replace(self, documents, *now),
        };
        match outcome {
            Ok(commit) => {
                self.apply(commit);
                Attempt::Done(Ok(()))
            }
            Err(Stop::Rejected(rejection)) => Attempt::Done(Err(rejection)),
            Err(Stop::Missing(all)) => Attempt::Missing(all),
            Err(Stop::Needs(needs)) if !needs.referrers.is_empty() && self.has_effects() => {
                Attempt::Write(Box::new(self.take_effects()))
            }
            Err(Stop::Needs(needs)) => Attempt::Load(needs),
        }
    }
}

/// Decides what a transaction does. Changes nothing: give the [`Commit`] to [`WorkingSet::apply`].
pub fn ingest(set: &WorkingSet, opened: &Opened, place: Place, authority: Authority) -> Result<Commit, Stop> {
    let mut needs = Needs::default();
    let mut documents: BTreeMap<DocumentId, Document> = BTreeMap::new();
    let mut actors = BTreeMap::new();
    let arrival = Arrival {
        place,
        time: opened.body.time,
    };
    let absent = match authority {
        Authority::Judge { role, .. } => {
            check::body(&opened.body)?;
            dependencies(set, opened, role, others_bring(authority))?
        }
        Authority::Follow => Vec::new(),
    };
    for (index, (name, decoded)) in opened.body.changes.iter().zip(&opened.changes).enumerate() {
        let id = name.document;
        let Some(table) = Schema::hospital().get(id.table) else {
            match authority {
                Authority::Judge { .. } => return Err(Rejection::unknown_table(index, id).into()),
                // A table of a newer schema: not ours to show.
                Authority::Follow => continue,
            }
        };
        let missing: Vec<_> = project::facets(table, RowKey::of(&id))
            .filter(|facet| set.document(facet).is_none())
            .collect();
        needs.documents.extend(missing);
        if decoded.is_none() && matches!(authority, Authority::Judge { .. }) {
            return Err(Rejection::withheld(index, table, id).into());
        }
        let (Some(known), Some(decoded)) = (set.document(&id), decoded) else {
            continue;
        };
        let document = documents.entry(id).or_insert_with(|| known.clone());
        let actor = decoded.change.actor().clone();
        let repeated = document.contains(&actor, decoded.change.seq);
        if let Authority::Judge { role, import } = authority {
            let judged = check::Judged {
                index,
                id,
                table,
                body: &opened.body,
                role,
                import,
            };
            judged.maker(document, decoded)?;
            if repeated && actor.device().is_none() {
                continue;
            }
            judged.change(document, decoded)?;
            document
                .fold(table, decoded, arrival)
                .map_err(|e| judged.unfoldable(&e))?;
            judged.folded(document)?;
        } else {
            if repeated {
                continue;
            }
            // What the stream accepted is folded everywhere; a change that cannot be is a difference between versions.
            let before = document.clone();
            if document.fold(table, decoded, arrival).is_err() {
                *document = before;
            }
        }
        if actor.device().is_some() {
            actors.insert(actor, opened.body.user);
        }
    }
    if !needs.is_empty() {
        needs = needs_with_values(needs, opened);
        return Err(Stop::Needs(needs));
    }
    if let Some(first) = absent.first() {
        return Err(if others_bring(authority) {
            let mut missing = BTreeSet::new();
            missing.extend(rows(&absent));
            Stop::Missing(missing)
        } else {
            first.broken("that does not exist").into()
        });
    }
    let stance = match (authority, place) {
        (Authority::Judge { .. }, Place::Stream(_)) => Stance::Stream,
        (Authority::Judge { .. }, Place::Pending) => Stance::Pending,
        (Authority::Follow, _) => Stance::Follow,
    };
    let mut commit = effects::effects(set, shared(documents), opened.body.time, stance)?;
    commit.actors = actors;
    commit
        .changes
        .extend(opened.body.changes.iter().map(|c| (c.document, c.hash)));
    Ok(commit)
}

/// A row that is not there can be on its way. An import brings all that it needs.
fn others_bring(authority: Authority) -> bool {
    !matches!(authority, Authority::Judge { import: true, .. })
}

fn rows(absent: &[Reference]) -> impl Iterator<Item = Awaited> {
    absent.iter().map(|reference| Awaited::Row(reference.target))
}

/// A judge folds nothing before it knows all that the changes build on. What can be said without that is said first, so
/// that nothing waits in vain; for the same reason the references to rows that are not there are returned, to be looked at
/// after the fold. `others_bring` them: a transaction that waits for changes waits for those rows too.
fn dependencies(set: &WorkingSet, opened: &Opened, role: Role, others_bring: bool) -> Result<Vec<Reference>, Stop> {
    let (mut needs, mut missing) = (Needs::default(), BTreeSet::new());
    let mut own: BTreeSet<(DocumentId, ChangeHash)> = BTreeSet::new();
    for (index, (name, decoded)) in opened.body.changes.iter().zip(&opened.changes).enumerate() {
        let id = name.document;
        let table = Schema::hospital().get(id.table);
        let table = table.ok_or_else(|| Rejection::unknown_table(index, id))?;
        let decoded = decoded.as_ref().ok_or_else(|| Rejection::withheld(index, table, id))?;
        let judged = check::Judged {
            index,
            id,
            table,
            body: &opened.body,
            role,
            import: false,
        };
        judged.alone(decoded)?;
        let facets = project::facets(table, RowKey::of(&id)).filter(|facet| set.document(facet).is_none());
        needs.documents.extend(facets);
        let Some(document) = set.document(&id) else { continue };
        let actor = decoded.change.actor();
        let repeated = actor.device().is_none() && document.contains(actor, decoded.change.seq);
        for hash in decoded.change.deps.iter().copied().filter(|_| !repeated) {
            if own.contains(&(id, hash)) || document.heads.contains(&hash) {
                continue;
            }
            match set.knows_change(id, hash) {
                None => drop(needs.changes.insert((id, hash))),
                Some(true) => {}
                Some(false) => drop(missing.insert(Awaited::Change(ChangeName { document: id, hash }))),
            }
        }
        own.insert((id, name.hash));
    }
    let absent = references::absent(set, opened, &mut needs);
    if !needs.is_empty() {
        return Err(Stop::Needs(needs_with_values(needs, opened)));
    }
    if missing.is_empty() {
        return Ok(absent);
    }
    missing.extend(rows(&absent).filter(|_| others_bring));
    Err(Stop::Missing(missing))
}

/// While loading anyway, load what the values will need.
fn needs_with_values(mut needs: Needs, opened: &Opened) -> Needs {
    let more = Needs::of(opened);
    needs.presence.extend(more.presence);
    needs.claims.extend(more.claims);
    needs
}

/// The server gave a transaction of this device its place: its claims are no longer pending.
pub fn confirm(set: &WorkingSet, opened: &Opened, seq: Seq) -> Result<Commit, Stop> {
    let mut needs = Needs::default();
    let mut documents: BTreeMap<DocumentId, Document> = BTreeMap::new();
    for (name, decoded) in opened.body.changes.iter().zip(&opened.changes) {
        let (Some(table), Some(decoded)) = (Schema::hospital().get(name.document.table), decoded) else {
            continue;
        };
        let missing = project::facets(table, RowKey::of(&name.document)).filter(|facet| set.document(facet).is_none());
        needs.documents.extend(missing);
        let Some(known) = set.document(&name.document) else {
            continue;
        };
        let document = documents.entry(name.document).or_insert_with(|| known.clone());
        let counters = decoded.change.start_op..=decoded.change.max_op();
        document.confirm(decoded.change.actor(), counters, seq);
    }
    if !needs.is_empty() {
        return Err(Stop::Needs(needs));
    }
    effects::effects(set, shared(documents), opened.body.time, Stance::Follow)
}

fn shared(documents: BTreeMap<DocumentId, Document>) -> Documents {
    let shared = documents.into_iter().map(|(id, document)| (id, Arc::new(document)));
    shared.collect()
}

/// True if a column of a table is held by a facet's document.
pub(crate) fn in_facet(column: &crate::schema::Column, facet: Facet) -> bool {
    column.merge != Merge::Server && column.restricted == (facet == Facet::Restricted)
}
