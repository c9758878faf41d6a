//! Loads what a working set needs. In one process a point query on a key costs microseconds, so that each need is one, but for
//! many rows that lie together.

use std::collections::{BTreeSet, HashMap};

use holdfast_core::{
    document::{Document, DocumentId, Facet, Place},
    ids::{ChangeHash, RowId, Seq, Timestamp},
    ingest::{Claim, Claimant, Needs, Presence, RowKey, WorkingSet},
    schema::{ColumnId, Schema, Table, TableId},
};
use rusqlite::{CachedStatement, Connection};

use crate::{
    StoreError,
    sql_value::{self, uuid},
    tables,
};

/// Loads all of `needs` into the set.
pub(super) fn load(connection: &Connection, needs: &Needs, set: &mut WorkingSet) -> Result<(), StoreError> {
    documents(connection, needs, set)?;
    presence(connection, needs, set)?;
    claims(connection, needs, set)?;
    for key in &needs.referrers {
        set.provide_referrers(*key, referrers(connection, *key)?);
    }
    for (id, hash) in &needs.changes {
        let known = knows_change(connection, *id, *hash, set)?;
        set.provide_change(*id, *hash, known);
    }
    Ok(())
}

fn documents(connection: &Connection, needs: &Needs, set: &mut WorkingSet) -> Result<(), StoreError> {
    let ids: Vec<&DocumentId> = needs.documents.iter().collect();
    for ids in ids.chunk_by(|a, b| a.part() == b.part()) {
        let rows: Vec<RowId> = ids.iter().map(|id| id.row).collect();
        let mut found = stored(connection, "state, shown", ids[0].part(), &rows, |row| {
            let state = row.get_ref(1)?.as_blob().map_err(StoreError::corrupt)?;
            Ok((Document::from_bytes(state).map_err(StoreError::corrupt)?, row.get(2)?))
        })?;
        for id in ids {
            let (document, shown) = found.remove(&id.row).unzip();
            if id.facet == Facet::Main {
                set.provide_presence(RowKey::of(id), presence_of(shown));
            }
            set.provide_document(**id, document.unwrap_or_default());
        }
    }
    Ok(())
}

fn presence(connection: &Connection, needs: &Needs, set: &mut WorkingSet) -> Result<(), StoreError> {
    let keys: Vec<&RowKey> = needs.presence.iter().collect();
    for keys in keys.chunk_by(|a, b| a.table == b.table) {
        let rows: Vec<RowId> = keys.iter().map(|key| key.row).collect();
        let part = DocumentId::main(keys[0].table, rows[0]).part();
        let found = stored(connection, "shown", part, &rows, |row| Ok(row.get(1)?))?;
        for key in keys {
            set.provide_presence(**key, presence_of(found.get(&key.row).copied()));
        }
    }
    Ok(())
}

/// Of fewer rows than these each is searched for.
const MANY: usize = 32;

/// What is stored of some rows of a part, given in their order. `read` gets the row's id and `columns`.
///
/// Of many rows, all that lies between the first and the last is walked through, as long as that is not much more: the rows of a
/// page of a copy are neighbours, and for a new device there is nothing yet where they will be.
fn stored<T>(
    connection: &Connection,
    columns: &str,
    part: i16,
    rows: &[RowId],
    read: impl Fn(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<HashMap<RowId, T>, StoreError> {
    let mut stored = HashMap::new();
    if rows.len() >= MANY
        && let (Some(first), Some(last)) = (rows.first(), rows.last())
    {
        let sql =
            format!("SELECT row, {columns} FROM sync_documents WHERE part = ?1 AND row BETWEEN ?2 AND ?3 ORDER BY row");
        let mut walk = connection.prepare_cached(&sql)?;
        let mut found = walk.query((part, first.0.as_bytes(), last.0.as_bytes()))?;
        let (mut others, mut wanted) = (0, rows.iter().peekable());
        loop {
            let Some(row) = found.next()? else {
                return Ok(stored);
            };
            let id = RowId(uuid(row.get_ref(0)?.as_blob().map_err(StoreError::corrupt)?)?);
            while wanted.next_if(|wanted| **wanted < id).is_some() {}
            if wanted.next_if(|wanted| **wanted == id).is_some() {
                stored.insert(id, read(row)?);
            } else {
                others += 1;
            }
            if others > MANY + stored.len() {
                break;
            }
        }
    }
    let sql = format!("SELECT row, {columns} FROM sync_documents WHERE part = ?1 AND row = ?2");
    let mut search = connection.prepare_cached(&sql)?;
    for id in rows {
        if stored.contains_key(id) {
            continue;
        }
        let mut found = search.query((part, id.0.as_bytes()))?;
        if let Some(row) = found.next()? {
            stored.insert(*id, read(row)?);
        }
    }
    Ok(stored)
}

fn presence_of(shown: Option<bool>) -> Presence {
    match shown {
        None => Presence::Absent,
        Some(false) => Presence::Hidden,
        Some(true) => Presence::Shown,
    }
}

fn claims(connection: &Connection, needs: &Needs, set: &mut WorkingSet) -> Result<(), StoreError> {
    let sql = "SELECT row, place, time FROM sync_claims WHERE tbl = ?1 AND col = ?2 AND value = ?3";
    let mut find = connection.prepare_cached(sql)?;
    for claim in &needs.claims {
        set.provide_claimants(claim.clone(), claimants(&mut find, claim)?);
    }
    Ok(())
}

fn claimants(find: &mut CachedStatement<'_>, claim: &Claim) -> Result<Vec<Claimant>, StoreError> {
    if broken!(ClaimUnchecked) {
        return Ok(Vec::new());
    }
    let mut found = find.query((claim.table.0, claim.column.0, claim.value.to_sql_text()))?;
    let mut claimants = Vec::new();
    while let Some(row) = found.next()? {
        let place: Option<i64> = row.get(1)?;
        claimants.push(Claimant {
            place: place.map_or(Place::Pending, |seq| Place::Stream(Seq(seq as u64))),
            time: Timestamp(row.get(2)?),
            row: RowId(uuid(row.get_ref(0)?.as_blob().map_err(StoreError::corrupt)?)?),
        });
    }
    claimants.sort_unstable();
    Ok(claimants)
}

/// The rows that stand in their tables and reference this one.
fn referrers(connection: &Connection, key: RowKey) -> Result<BTreeSet<RowKey>, StoreError> {
    let schema = Schema::hospital();
    let mut rows = BTreeSet::new();
    for (table, column) in &schema.by_id(key.table).referenced_by {
        rows.extend(rows_with(connection, schema.by_id(*table), *column, key.row)?);
    }
    Ok(rows)
}

fn rows_with(
    connection: &Connection,
    table: &'static Table,
    column: ColumnId,
    target: RowId,
) -> Result<Vec<RowKey>, StoreError> {
    let key: Vec<_> = table.primary_key.iter().map(|id| table.by_id(*id)).collect();
    let (keys, name, column) = (table.key_names().join(", "), table.name, table.by_id(column).name);
    let mut statement = connection.prepare_cached(&format!("SELECT {keys} FROM {name} WHERE {column} = ?1"))?;
    let mut found = statement.query([target.0.to_string()])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values: Vec<_> = key
            .iter()
            .enumerate()
            .map(|(i, column)| sql_value::read(column, row.get_ref(i)?))
            .collect::<Result<_, StoreError>>()?;
        rows.push(RowKey {
            table: TableId(table.id.0),
            row: tables::row_id(table, values.iter())?,
        });
    }
    Ok(rows)
}

/// A server keeps every document's history. A device has only its ends, which is what its own changes build on.
fn knows_change(
    connection: &Connection,
    id: DocumentId,
    hash: ChangeHash,
    set: &WorkingSet,
) -> Result<bool, StoreError> {
    let at_an_end = |d: &Document| d.heads.contains(&hash) || d.creations().any(|c| c.hash == hash);
    if set.document(&id).is_some_and(at_an_end) {
        return Ok(true);
    }
    if !connection.table_exists(None, "sync_changes")? {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM sync_changes WHERE part = ?1 AND row = ?2 AND hash = ?3";
    Ok(connection
        .prepare_cached(sql)?
        .exists((id.part(), id.row.0.as_bytes(), hash.0))?)
}
