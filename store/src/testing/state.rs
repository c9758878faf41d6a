//! All that replicas must agree on, in a form that can be compared: the order in which things arrived is left out.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::{
    document::{Document, DocumentId, Facet, LiveOp, ObjectContent, OpId},
    ids::RowId,
};
use rusqlite::Connection;

use super::{Dump, dump};
use crate::{StoreError, sql_value::uuid};

/// What a store holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// The rows of every table.
    pub tables: Dump,
    /// Every document.
    pub documents: BTreeMap<DocumentId, String>,
    /// The open conflicts.
    pub conflicts: BTreeSet<String>,
    /// Who claims what.
    pub claims: BTreeSet<String>,
}

impl State {
    /// Checks what every store promises of itself, and reads all of it.
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        dump::check(connection)?;
        let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if integrity != "ok" {
            return Err(StoreError::corrupt(integrity));
        }
        Ok(Self {
            tables: dump::dump(connection)?,
            documents: documents(connection)?,
            conflicts: lines(
                connection,
                "SELECT kind || ' ' || tbl || ' ' || row || ' ' || coalesce(col, '') || ' ' || task || ' ' || sides
                    FROM sync_conflicts WHERE settled_at IS NULL",
            )?,
            claims: lines(
                connection,
                "SELECT tbl || ' ' || col || ' ' || value || ' ' || hex(row) || ' ' || coalesce(place, 'pending')
                    FROM sync_claims",
            )?,
        })
    }

    /// The same without what only some roles may see.
    #[must_use]
    pub fn unrestricted(mut self) -> Self {
        for row in self.tables.get_mut("staff").into_iter().flatten() {
            let shown = row.split(' ').filter(|cell| !cell.starts_with("salary="));
            *row = shown.collect::<Vec<_>>().join(" ");
        }
        self.documents.retain(|id, _| id.facet == Facet::Main);
        self
    }

    /// The first difference, in words.
    pub fn difference(&self, other: &Self) -> Option<String> {
        for (table, rows) in &self.tables {
            let others = other.tables.get(table).map(Vec::as_slice).unwrap_or_default();
            if let Some((one, another)) = first_difference(rows.iter(), others.iter()) {
                return Some(format!("{table}:\n  {one}\n  {another}"));
            }
        }
        if let Some((one, another)) = first_difference(self.documents.iter(), other.documents.iter()) {
            return Some(format!("documents:\n  {one}\n  {another}"));
        }
        if let Some((one, another)) = first_difference(self.conflicts.iter(), other.conflicts.iter()) {
            return Some(format!("conflicts:\n  {one}\n  {another}"));
        }
        let claims = first_difference(self.claims.iter(), other.claims.iter());
        claims.map(|(one, another)| format!("claims:\n  {one}\n  {another}"))
    }
}

fn first_difference<T: PartialEq + std::fmt::Debug>(
    mut one: impl Iterator<Item = T>,
    mut other: impl Iterator<Item = T>,
) -> Option<(String, String)> {
    loop {
        let text = |item: &Option<T>| item.as_ref().map_or("nothing".to_owned(), |item| format!("{item:?}"));
        match (one.next(), other.next()) {
            (None, None) => return None,
            (a, b) if a != b => return Some((text(&a), text(&b))),
            _ => {}
        }
    }
}

fn lines(connection: &Connection, sql: &str) -> Result<BTreeSet<String>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let lines = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines)
}

fn documents(connection: &Connection) -> Result<BTreeMap<DocumentId, String>, StoreError> {
    let mut statement = connection.prepare("SELECT part, row, state FROM sync_documents")?;
    let mut found = statement.query([])?;
    let mut documents = BTreeMap::new();
    while let Some(row) = found.next()? {
        let id = DocumentId::from_part(row.get(0)?, RowId(uuid(&row.get::<_, Vec<u8>>(1)?)?));
        let document = Document::from_bytes(&row.get::<_, Vec<u8>>(2)?).map_err(StoreError::corrupt)?;
        documents.insert(id, text(document));
    }
    Ok(documents)
}

/// A document with its actors in their own order instead of that of their arrival.
fn text(mut document: Document) -> String {
    let mut order: Vec<usize> = (0..document.actors.len()).collect();
    order.sort_by(|a, b| document.actors[*a].actor.cmp(&document.actors[*b].actor));
    let mut numbers = vec![0; order.len()];
    for (new, old) in (0..).zip(&order) {
        numbers[*old] = new;
    }
    document.actors = order.iter().map(|old| document.actors[*old].clone()).collect();
    let renumber = |id: &mut OpId| id.actor = numbers[id.actor as usize];
    let settle = |live: &mut Vec<LiveOp>| {
        live.iter_mut().for_each(|op| renumber(&mut op.id));
        live.sort_by_key(|op| (op.id.counter, op.id.actor));
    };
    document.root.iter_mut().for_each(|(_, live)| settle(live));
    for object in &mut document.objects {
        renumber(&mut object.id);
        match &mut object.content {
            ObjectContent::Map(entries) => entries.iter_mut().for_each(|(_, live)| settle(live)),
            ObjectContent::Sequence(elements) => {
                for element in elements {
                    renumber(&mut element.id);
                    settle(&mut element.live);
                }
            }
        }
    }
    document
        .objects
        .sort_by_key(|object| (object.id.counter, object.id.actor));
    document.deleting.sort_unstable();
    document.lost_claims.sort_unstable();
    format!("{document:?}")
}
