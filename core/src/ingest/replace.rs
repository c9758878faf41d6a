//! Documents that take the place of others.
//!
//! Nearly every row of a new device's first copy is new, whole and in nobody's way, so that nothing follows from it but itself.
//! Such a row is put into its place at once; what remains is worked off as any other change is ([`effects`]). Both ways say
//! the same, which a property test holds them to.

use std::sync::Arc;

use foldhash::HashSet;

use super::{
    Claim, Claimant, Commit, Documents, Needs, Presence, RowKey, Stop, WorkingSet,
    effects::{self, Stance},
    project,
};
use crate::{
    document::{Document, DocumentId, Facet},
    ids::{RowId, Timestamp},
    row::Row,
    schema::{Merge, Schema},
    value::Value,
};

/// Puts documents in the place of those in the set. Some may be in place already when this asks for more.
pub(super) fn replace(set: &mut WorkingSet, documents: &Documents, now: Timestamp) -> Result<Commit, Stop> {
    if documents.keys().any(|id| set.document(id).is_none()) {
        return Err(Stop::Needs(needs_of(set, documents)));
    }
    let rest = settle(set, documents);
    effects::effects(set, rest, now, Stance::Follow)
}

/// A page of a snapshot has thousands of rows: all that they are likely to need is asked for together.
fn needs_of(set: &WorkingSet, documents: &Documents) -> Needs {
    let comes_too = |key: &RowKey| documents.contains_key(&DocumentId::main(key.table, key.row));
    let (mut needs, mut targets) = (Needs::default(), HashSet::<RowKey>::default());
    for (id, document) in documents {
        // Nothing may follow from it (a table of a newer schema), but its place must be known.
        needs.documents.insert(*id);
        let Some(table) = Schema::hospital().get(id.table) else {
            continue;
        };
        let key = RowKey::of(id);
        needs.documents.extend(project::facets(table, key));
        if id.facet == Facet::Main {
            needs.claims.extend(effects::claims_of(table, key, document));
        }
        targets.extend(project::references_of(table, *id, document));
    }
    targets.retain(|target| set.presence(target).is_none() && !comes_too(target));
    needs.presence.extend(targets);
    needs
}

/// A row that nothing else follows from.
pub(super) struct Newcomer {
    pub id: DocumentId,
    pub document: Arc<Document>,
    pub row: Row,
    pub claims: Vec<(Claim, Claimant)>,
}

/// Puts those rows into their places that nothing follows from. Returns the documents of the others.
fn settle(set: &mut WorkingSet, documents: &Documents) -> Documents {
    let mut rest = Documents::new();
    for (id, document) in documents {
        if set.shared_document(id).is_some_and(|here| Arc::ptr_eq(here, document)) {
            continue;
        }
        match newcomer(set, id, document) {
            Some(newcomer) => set.settle(newcomer),
            None => drop(rest.insert(*id, Arc::clone(document))),
        }
    }
    rest
}

/// `None` if the row or its table needs a closer look: it was here before, people differ about it, it was deleted, it refers to
/// what is not (yet) in its table, or another row holds what it claims.
fn newcomer(set: &WorkingSet, id: &DocumentId, document: &Arc<Document>) -> Option<Newcomer> {
    let (table, key) = (Schema::hospital().get(id.table)?, RowKey::of(id));
    let is_new = set.presence(&key) == Some(Presence::Absent) && set.document(id).is_some_and(Document::is_empty);
    let whole = id.facet == Facet::Main && !table.columns.iter().any(|column| column.restricted);
    let alone = whole && !set.knows_referrers();
    if !is_new || !alone || document.is_empty() || !document.is_agreed() {
        return None;
    }
    let (mut values, mut claims) = (Vec::with_capacity(table.columns.len()), Vec::new());
    for (column, value, origin) in document.agreed(table) {
        if let (Some(table), Value::Uuid(id)) = (column.references, &value) {
            let row = RowId(*id);
            set.presence(&RowKey { table, row })
                .filter(|there| *there == Presence::Shown)?;
        }
        if column.merge == Merge::Counter && matches!(value, Value::Int(..0)) {
            return None;
        }
        if column.claim && !value.is_null() {
            let (claim, claimant) = effects::claim_to(key, column, value.clone(), origin);
            set.claimants(&claim).filter(|others| others.is_empty())?;
            claims.push((claim, claimant));
        }
        values.push(project::within(column, value));
    }
    Some(Newcomer {
        id: *id,
        document: Arc::clone(document),
        row: Row {
            table: key.table,
            id: key.row,
            values,
        },
        claims,
    })
}
