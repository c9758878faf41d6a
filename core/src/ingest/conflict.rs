//! What a person must settle.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{RowKey, project::own_value};
use crate::{
    document::{Actor, Document, Facet},
    ids::Timestamp,
    schema::{Column, Merge, Table},
    value::Value,
};

/// Names a conflict: the same on every replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConflictId(pub Uuid);

impl fmt::Display for ConflictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of conflict.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ConflictKind {
    /// Two people set different values without knowing of each other.
    Concurrent,
    /// A bed or a number was taken by somebody else first.
    Claim,
    /// A row was deleted by one and used by another.
    Deleted,
    /// More was taken than was there.
    Negative,
}

impl ConflictKind {
    /// Its name in stores and on the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Concurrent => "concurrent",
            Self::Claim => "claim",
            Self::Deleted => "deleted",
            Self::Negative => "negative",
        }
    }
}

/// A conflict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// Its name.
    pub id: ConflictId,
    /// Its kind.
    pub kind: ConflictKind,
    /// The row.
    pub row: RowKey,
    /// The column, if it is about one.
    pub column: Option<&'static str>,
    /// What a person has to do.
    pub task: String,
    /// The values that people meant.
    pub sides: Vec<Side>,
    /// The time of the transaction that brought it about.
    pub raised_at: Timestamp,
}

/// A value that somebody meant, or that the tables show meanwhile. For a deleted row: kept (true) or deleted (false).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// The value.
    pub value: Value,
    /// The tables show it.
    pub shown: bool,
    /// Who wrote it.
    pub actor: Option<Actor>,
    /// When.
    pub time: Option<Timestamp>,
}

/// The conflicts of a row, without [`Conflict::raised_at`]'s history: the caller compares before and after.
pub(super) fn conflicts(
    table: &'static Table,
    key: RowKey,
    main: &Document,
    restricted: Option<&Document>,
    shown: bool,
    now: Timestamp,
) -> Vec<Conflict> {
    if !shown {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut raise = |kind: ConflictKind, column: Option<&'static Column>, task: String, sides: Vec<Side>| {
        let column = column.map(|c| c.name);
        found.push(Conflict {
            id: id(kind, key, column),
            kind,
            row: key,
            column,
            task,
            sides,
            raised_at: now,
        });
    };
    for (document, facet) in std::iter::once((main, Facet::Main)).chain(restricted.map(|d| (d, Facet::Restricted))) {
        for column in Document::columns_of(table, facet).filter(|c| c.review || c.claim) {
            let lost = main.lost_claims.contains(&column.id);
            if !lost && document.live(column.id).len() < 2 {
                continue;
            }
            let mut sides = sides(document, column);
            let differ = column.review && sides.iter().any(|s| s.value != sides[0].value);
            if lost {
                for side in &mut sides {
                    side.shown = false;
                }
                let value = own_value(column, key, main.value(column, column.first_in_stream));
                sides.insert(
                    0,
                    Side {
                        value,
                        shown: true,
                        actor: None,
                        time: None,
                    },
                );
            }
            if lost || differ {
                let kind = if column.claim {
                    ConflictKind::Claim
                } else {
                    ConflictKind::Concurrent
                };
                let task = if lost {
                    lost_task(table, column)
                } else {
                    concurrent_task(table, column)
                };
                raise(kind, Some(column), task, sides);
            }
        }
    }
    if main.has_deletion() {
        let task = format!(
            "This row of {} was deleted by one person while another used it. Keep it or delete it.",
            table.name
        );
        let side = |kept| Side {
            value: Value::Bool(kept),
            shown: kept,
            actor: None,
            time: None,
        };
        raise(ConflictKind::Deleted, None, task, vec![side(true), side(false)]);
    }
    for column in table.columns.iter().filter(|c| c.merge == Merge::Counter) {
        if let value @ Value::Int(..0) = main.value(column, false) {
            let side = Side {
                value,
                shown: true,
                actor: None,
                time: None,
            };
            let task = "More was taken than was there. Count what is left and enter an adjustment.".to_owned();
            raise(ConflictKind::Negative, Some(column), task, vec![side]);
        }
    }
    found
}

fn sides(document: &Document, column: &Column) -> Vec<Side> {
    let winner = document.winner(column, column.first_in_stream).map(|op| op.id);
    let mut sides: Vec<Side> = document
        .live(column.id)
        .map(|op| Side {
            value: document.show(column, op),
            shown: Some(op.id) == winner,
            actor: Some(document.actor(op.id).clone()),
            time: op.origin.map(|o| o.time),
        })
        .collect();
    sides.sort_unstable_by(|a, b| (b.shown, &a.value, &a.actor).cmp(&(a.shown, &b.value, &b.actor)));
    sides
}

fn concurrent_task(table: &Table, column: &Column) -> String {
    match (table.name, column.name) {
        ("beds", "patient_id") => {
            "Two patients were given this bed. The first to reach the hospital has it; find a bed for the other."
                .to_owned()
        }
        _ => format!(
            "Two people set {} differently without knowing of each other. Choose the right one.",
            column.name
        ),
    }
}

fn lost_task(table: &Table, column: &Column) -> String {
    match (table.name, column.name) {
        ("beds", "patient_id") => "This patient was given another bed first. Decide where the patient lies.".to_owned(),
        _ => format!(
            "Another row of {} had this {} first. Give this one its own.",
            table.name, column.name
        ),
    }
}

fn id(kind: ConflictKind, key: RowKey, column: Option<&str>) -> ConflictId {
    let mut hasher = Sha256::new();
    hasher.update(kind.name());
    hasher.update([0, key.table.0]);
    hasher.update(key.row.0.as_bytes());
    hasher.update(column.unwrap_or_default());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    ConflictId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
