//! The rows that a transaction's changes refer to.

use std::collections::BTreeSet;

use super::{Needs, Presence, Rejection, RowKey, WorkingSet};
use crate::{
    document::{
        DocumentId,
        codec::{Action, OpKey, Operation},
    },
    ids::RowId,
    schema::{Column, Schema, Table},
    transaction::Opened,
    value::Value,
};

/// A value of a change that names another row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    table: &'static Table,
    row: RowKey,
    column: &'static Column,
    /// The row that it names.
    pub target: RowKey,
}

impl Reference {
    /// The refusal of a reference that leads nowhere. `which` says of the row that it is not there, as in "that does not
    /// exist".
    pub fn broken(&self, which: &str) -> Rejection {
        Rejection::broken_reference(self.table, self.row, self.column, self.target, which)
    }
}

/// All references of a transaction, even those whose value is not shown because another was first: it may be shown later.
pub(super) fn references(opened: &Opened) -> impl Iterator<Item = Reference> {
    let changes = opened.body.changes.iter().zip(&opened.changes);
    let known = changes.filter_map(|(name, change)| {
        let table = Schema::hospital().get(name.document.table)?;
        Some((table, RowKey::of(&name.document), change.as_ref()?))
    });
    known.flat_map(|(table, row, decoded)| {
        let reference = move |op: Operation<'_>| {
            let (None, OpKey::Map(column), Action::Set(value)) = (op.object, op.key, op.action) else {
                return None;
            };
            let column = table.column(column)?;
            let to = column.references?;
            let Value::Uuid(id) = value.scalar().try_value(column)? else {
                return None;
            };
            let target = RowKey {
                table: to,
                row: RowId(id),
            };
            Some(Reference {
                table,
                row,
                column,
                target,
            })
        };
        decoded.change.operations().filter_map(reference)
    })
}

/// The references of a transaction to rows that neither the set nor the transaction has. Those that the set cannot tell of
/// are added to `needs`.
pub(super) fn absent(set: &WorkingSet, opened: &Opened, needs: &mut Needs) -> Vec<Reference> {
    let mut absent: Vec<Reference> = Vec::new();
    for reference in references(opened) {
        let target = reference.target;
        match set.presence(&target) {
            None => drop(needs.presence.insert(target)),
            Some(Presence::Absent) => absent.push(reference),
            Some(Presence::Hidden | Presence::Shown) => {}
        }
    }
    if !absent.is_empty() {
        let mut made: BTreeSet<DocumentId> = BTreeSet::new();
        made.extend(opened.body.changes.iter().map(|name| name.document));
        absent.retain(|reference| !made.contains(&DocumentId::main(reference.target.table, reference.target.row)));
    }
    absent
}
