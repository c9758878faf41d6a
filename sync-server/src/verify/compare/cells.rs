//! Cells of a row beside each other, by what they mean.

use holdfast_core::{
    document::{Document, DocumentId, Facet, Key, Place},
    ids::RowId,
    schema::{Column, ColumnId, Schema, Table, TableId},
    value::Value,
};
use uuid::Uuid;

use super::{Kind, Meaning, Relation, Report, difference};
use crate::{
    hex,
    store::postgres::claimants,
    validate::session::{Dialect, TextRow},
};

/// Places of a conflict's cells.
const TASK: usize = 5;
const SIDES: usize = 6;
const SETTLED_AT: usize = 8;
const UNSURE: usize = 9;

/// Reports the cells that differ.
pub(super) fn compare(relation: &Relation, expected: &TextRow, found: TextRow, report: &mut Report) {
    let found: Vec<Option<String>> = found
        .into_iter()
        .enumerate()
        .map(|(at, cell)| from_store(relation, at, cell))
        .collect();
    for at in relation.key..relation.columns.len() {
        if same(relation, at, expected, &found) {
            continue;
        }
        let (log, found) = (expected[at].clone(), found[at].clone());
        let mut difference = difference(relation, expected, Kind::Different);
        difference.column = Some(relation.columns[at].to_owned());
        if let (Meaning::Documents, "state") = (relation.meaning, relation.columns[at]) {
            let table = table(expected).map(|(table, _)| table);
            (difference.log, difference.found) = states(table, log.as_deref(), found.as_deref());
        } else {
            (difference.log, difference.found) = (log, found);
        }
        report.add(difference);
    }
}

/// A cell of the store, in the words of the fold.
fn from_store(relation: &Relation, at: usize, cell: Option<String>) -> Option<String> {
    let cell = cell?;
    Some(match (relation.meaning, relation.dialect) {
        (Meaning::Claims, Dialect::Postgres) if at == relation.key => claimant_texts(&cell).unwrap_or(cell),
        _ => cell,
    })
}

/// PostgreSQL's claimants as SQLite's are read.
fn claimant_texts(digits: &str) -> Option<String> {
    let claimants = claimants::decode(&hex::decode_all(digits)?).ok()?;
    let texts = claimants.iter().map(|claimant| {
        let place = match claimant.place {
            Place::Stream(seq) => seq.to_string(),
            Place::Pending => "-".to_owned(),
        };
        format!("{place} {} {}", claimant.time.0, claimant.row.0.simple())
    });
    Some(texts.collect::<Vec<_>>().join(", "))
}

fn same(relation: &Relation, at: usize, expected: &TextRow, found: &TextRow) -> bool {
    let (log, store) = (&expected[at], &found[at]);
    if log == store {
        return true;
    }
    let (Some(log), Some(store)) = (log, store) else {
        return matches!(relation.meaning, Meaning::Conflicts) && unsure(at, expected);
    };
    match relation.meaning {
        Meaning::Rows(table) => canonical(table.column(relation.columns[at]), store).as_ref() == Some(log),
        Meaning::Documents => match (document(log), document(store)) {
            (Some(log), Some(store)) => log == store,
            _ => false,
        },
        Meaning::Conflicts if at == SIDES && json(log) == json(store) => true,
        Meaning::Conflicts => unsure(at, expected),
        Meaning::Changes | Meaning::Claims | Meaning::Plain => false,
    }
}

/// True if the store may well have something else there: of a conflict that was raised and settled by entries taken in
/// together, only what came out in the end is sure.
fn unsure(at: usize, expected: &TextRow) -> bool {
    at == UNSURE
        || is_unsure(expected)
            && match at {
                TASK | SIDES => is_settled(expected),
                SETTLED_AT => false,
                _ => at > SIDES,
            }
}

pub(super) fn is_unsure(conflict: &TextRow) -> bool {
    conflict[UNSURE].as_deref() == Some("1")
}

pub(super) fn is_settled(conflict: &TextRow) -> bool {
    conflict[SETTLED_AT].is_some()
}

/// One text for one value, however a database writes it.
fn canonical(column: Option<&Column>, text: &str) -> Option<String> {
    Value::from_sql_text(column?, text).ok()?.to_sql_text()
}

fn json(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok()
}

fn document(digits: &str) -> Option<Document> {
    Document::from_bytes(&hex::decode_all(digits)?).ok()
}

/// In what two states of a document differ.
fn states(table: Option<&'static Table>, log: Option<&str>, store: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(log) = log.and_then(document) else {
        return (Some("cannot be read".to_owned()), None);
    };
    let Some(store) = store.and_then(document) else {
        return (Some(describe(&log)), Some("cannot be read".to_owned()));
    };
    let keys = || log.live_operations().chain(store.live_operations()).map(|(key, _)| key);
    let of = |document: &Document, key: Key<'_>| format!("{:?}", document.live_of(key).collect::<Vec<_>>());
    let Some(key) = keys().find(|key| of(&log, *key) != of(&store, *key)) else {
        return (Some(describe(&log)), Some(describe(&store)));
    };
    match (key, table) {
        (Key::Column(id), Some(table)) if usize::from(id.0) < table.columns.len() => {
            let column = table.by_id(id);
            let value = |document: &Document| {
                let value = document.value(column, column.first_in_stream).to_sql_text();
                Some(format!(
                    "{}: {}",
                    column.name,
                    value.unwrap_or_else(|| "null".to_owned())
                ))
            };
            (value(&log), value(&store))
        }
        _ => (Some(describe(&log)), Some(describe(&store))),
    }
}

/// A document in short: its heads and how many operations were ever numbered.
fn describe(document: &Document) -> String {
    let heads: Vec<String> = document
        .heads
        .iter()
        .map(|head| head.to_string()[..8].to_owned())
        .collect();
    format!("heads {}, {} operations", heads.join(" "), document.max_op)
}

/// The table and row that a document's key names.
fn table(row: &TextRow) -> Option<(&'static Table, DocumentId)> {
    let part: i16 = row[0].as_deref()?.parse().ok()?;
    let id = DocumentId::from_part(part, RowId(Uuid::try_parse(row[1].as_deref()?).ok()?));
    Some((Schema::hospital().get(id.table)?, id))
}

/// What a difference calls a row.
pub(super) fn row_name(relation: &Relation, row: &TextRow) -> String {
    let cell = |at: usize| row[at].as_deref().unwrap_or("null");
    let plain = || {
        row[..relation.key]
            .iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join("/")
    };
    match relation.meaning {
        Meaning::Documents | Meaning::Changes => {
            let Some((table, id)) = table(row) else { return plain() };
            let restricted = if id.facet == Facet::Restricted {
                " (restricted)"
            } else {
                ""
            };
            let hash = match relation.meaning {
                Meaning::Changes => format!(" change {}", cell(2)),
                _ => String::new(),
            };
            format!("{} {}{restricted}{hash}", table.name, id.row)
        }
        Meaning::Claims => {
            let claimed = || -> Option<String> {
                let table = Schema::hospital().get(TableId(cell(0).parse().ok()?))?;
                let column = ColumnId(cell(1).parse().ok()?);
                let column = table.columns.get(usize::from(column.0))?;
                Some(format!("{}.{} = {}", table.name, column.name, cell(2)))
            };
            claimed().unwrap_or_else(plain)
        }
        Meaning::Conflicts => format!("{} ({} in {} {})", cell(0), cell(1), cell(2), cell(3)),
        Meaning::Rows(_) | Meaning::Plain => plain(),
    }
}
