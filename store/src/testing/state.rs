//! All that replicas must agree on, in a form that can be compared: the order in which things arrived is left out.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::{
    document::{Contents, Document, DocumentId, Facet, Key, LiveOp, OpId, Scalar},
    ids::{RowId, TransactionId, UserId},
    ingest::Needs,
    policy::Role,
};
use rusqlite::Connection;

use super::{Dump, TestServer, dump};
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
        documents.insert(id, text(&document));
    }
    Ok(documents)
}

/// A document's contents with its operations named by their actors, in an order of their own instead of that of their
/// arrival.
fn text(document: &Document) -> String {
    let id = |id: OpId| format!("{}@{:?}", id.counter, document.actor(id));
    let live = |ops: Vec<LiveOp<'_>>| {
        let mut ops = ops;
        ops.sort_by_key(|op| document.order(op.id));
        let shown = ops
            .iter()
            .map(|op| format!("{} {:?} {:?}", id(op.id), op.value, op.origin));
        shown.collect::<Vec<_>>().join(" | ")
    };
    let mut lines: Vec<String> = document
        .live_operations()
        .map(|(key, op)| format!("{key:?} = {}", live(vec![op])))
        .collect();
    for object in document.objects() {
        let contents = match document.contents(object).expect("BUG: it lists what it has") {
            Contents::Map(entries) => entries
                .into_iter()
                .map(|(key, ops)| format!("{key:?}: {}", live(ops)))
                .collect(),
            Contents::Sequence(elements) => {
                let shown = elements
                    .into_iter()
                    .map(|(element, ops)| format!("{}: {}", id(element), live(ops)));
                shown.collect::<Vec<_>>()
            }
        };
        lines.push(format!("object {} = {contents:?}", id(object)));
    }
    lines.extend(document.actors.iter().map(|clock| format!("{clock:?}")));
    lines.extend(document.deleting().map(|change| format!("deleted by {change}")));
    lines.extend(document.lost_claims.iter().map(|column| format!("lost {column:?}")));
    lines.sort_unstable();
    let Document {
        heads,
        max_op,
        updated_at,
        creation,
        ..
    } = document;
    format!("{heads:?} {max_op} {updated_at:?} {creation:?} {lines:#?}")
}

/// What one may ask a server of beside its state.
impl TestServer {
    /// The concurrent whole numbers that a document holds under a key that the schema does not have, as text.
    pub fn unknown_column(&self, document: DocumentId, name: &str) -> Result<BTreeSet<String>, StoreError> {
        let set = self.store.load(&Needs {
            documents: [document].into(),
            ..Needs::default()
        })?;
        let live = set.document(&document).into_iter().flat_map(Document::live_operations);
        let values = live.filter(|(key, _)| *key == Key::Unknown(name));
        Ok(values
            .filter_map(|(_, op)| match op.value {
                Scalar::Int(value) => Some(value.to_string()),
                _ => None,
            })
            .collect())
    }

    /// True if a user's role may see the columns that only some may see.
    pub fn may_see_restricted(&self, user: UserId) -> Result<bool, StoreError> {
        let account = self.store.account(user)?;
        let role = account.and_then(|account| account.role.parse::<Role>().ok());
        Ok(role.unwrap_or(Role::Auditor).may_see_restricted())
    }

    /// True if the stream has a transaction.
    pub fn is_in_log(&self, id: TransactionId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM sync_log WHERE id = ?1";
        Ok(self.store.connection.prepare_cached(sql)?.exists([id.0.as_bytes()])?)
    }
}
