//! Whether this replica has the columns that only some roles may see. It follows the role: of who signs in, and as the server
//! says with every page of the stream and of a copy, for a role may change while somebody is signed in, and a hub may know
//! another one than the hospital's server.
//!
//! *Invariant*: what the role may not see any more is gone from here at once, not when the server has been asked again.

use std::collections::BTreeSet;

use holdfast_core::{
    document::{DocumentId, Facet},
    ids::UserId,
    ingest::Rejection,
    protocol::PullResponse,
    schema::{Schema, Table},
    transaction::Opened,
};
use rusqlite::Connection;

use super::{relayed, sync};
use crate::{StoreError, checksums, meta};

/// In `sync_meta`.
const KEY: &str = "sees_restricted";

/// The parts of restricted documents begin here: see core's `DocumentId::part`.
const RESTRICTED: i16 = 256;

/// Whether it has them; `None` before the first sign-in.
pub(super) fn get(connection: &Connection) -> Result<Option<bool>, StoreError> {
    meta::get(connection, KEY)
}

/// True if nothing of a transaction can be here: it writes to nothing but what the role may not see.
pub(super) fn hides(connection: &Connection, opened: &Opened) -> Result<bool, StoreError> {
    let mut changes = opened.body.changes.iter();
    Ok(is_barred(connection)? && changes.all(|name| name.document.facet == Facet::Restricted))
}

/// True if it must not have them.
pub(super) fn is_barred(connection: &Connection) -> Result<bool, StoreError> {
    Ok(get(connection)? == Some(false))
}

/// From now on it has them, or not any more. To have them, the hospital is copied anew. Returns the tables whose rows
/// changed.
pub(super) fn set(connection: &Connection, sees: bool) -> Result<BTreeSet<&'static str>, StoreError> {
    let saw = get(connection)?;
    meta::set(connection, KEY, sees)?;
    match saw {
        Some(true) if !sees && !broken!(RestrictedKept) => forget(connection),
        Some(false) if sees && !broken!(RestrictedNotCopied) => {
            sync::copy_anew(connection)?;
            Ok(BTreeSet::new())
        }
        _ => Ok(BTreeSet::new()),
    }
}

/// Refuses what writes to them where they must not be: the role that somebody signed in with saw them, and the server has said
/// since that it is another one.
pub(super) fn judge(connection: &Connection, opened: &Opened) -> Result<Option<Rejection>, StoreError> {
    let mut documents = opened.body.changes.iter().map(|name| name.document);
    let restricted = documents.position(|document| document.facet == Facet::Restricted);
    let barred = is_barred(connection)? && !broken!(RestrictedKept);
    Ok(restricted.filter(|_| barred).map(|index| Rejection {
        code: "not_allowed",
        change: Some(index),
        table: table_name(opened.body.changes[index].document),
        row: opened.body.changes[index].document.row.to_string(),
        column: None,
        problem: "your role may not write to restricted columns".to_owned(),
    }))
}

fn table_name(document: DocumentId) -> String {
    let table = Schema::hospital().get(document.table);
    table.map_or_else(|| document.table.0.to_string(), |table| table.name.to_owned())
}

/// What waited here may have brought some back: into the documents, or into the base alone where it could not be done on top of
/// what has been taken away. Returns the tables whose rows changed.
pub(super) fn enforce(connection: &Connection) -> Result<BTreeSet<&'static str>, StoreError> {
    let sql = "SELECT 1 FROM sync_documents WHERE part >= ?1 UNION ALL SELECT 1 FROM sync_base WHERE part >= ?1";
    let mut any = connection.prepare_cached(sql)?;
    if is_barred(connection)? && !broken!(RestrictedKept) && any.exists([RESTRICTED])? {
        return forget(connection);
    }
    Ok(BTreeSet::new())
}

/// Takes them out of everything. What waits to be sent stays as it is.
fn forget(connection: &Connection) -> Result<BTreeSet<&'static str>, StoreError> {
    for table in ["sync_documents", "sync_base", "sync_incoming"] {
        connection.execute(&format!("DELETE FROM {table} WHERE part >= ?1"), [RESTRICTED])?;
    }
    let mut changed = BTreeSet::new();
    for table in Schema::hospital().tables.iter().filter(|table| has_any(table)) {
        let columns = table.columns.iter().filter(|column| column.restricted);
        let empty: Vec<_> = columns.map(|column| format!("{} = NULL", column.name)).collect();
        connection.execute(&format!("UPDATE {} SET {}", table.name, empty.join(", ")), [])?;
        changed.insert(table.name);
    }
    relayed::withhold(connection)?;
    checksums::renew(connection)?;
    Ok(changed)
}

fn has_any(table: &Table) -> bool {
    table.columns.iter().any(|column| column.restricted)
}

/// Whether the server shows them to who asked for this page; `None` if it cannot be told from it.
pub(super) fn shown_in(page: &PullResponse, opened: &[Opened]) -> Option<bool> {
    let said = page.checksum.as_ref().map(|checksum| checksum.restricted);
    said.or_else(|| {
        let mut changes = opened.iter().flat_map(|one| one.body.changes.iter().zip(&one.changes));
        let restricted = changes.find(|(name, _)| name.document.facet == Facet::Restricted);
        restricted.map(|(_, change)| change.is_some())
    })
}

/// How many transactions of other people wait that write to them.
pub(super) fn others_secrets(connection: &Connection, user: UserId) -> Result<u64, StoreError> {
    let sql = "SELECT count(DISTINCT n) FROM sync_base JOIN sync_outbox ON instr(pending, ',' || n || ',')
        WHERE part >= ?1 AND user <> ?2";
    let count: i64 = connection.query_row(sql, (RESTRICTED, user.to_string()), |row| row.get(0))?;
    Ok(count as u64)
}
