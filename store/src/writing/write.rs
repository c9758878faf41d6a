//! Writes what a working set did. Deferred foreign keys let rows come and go in any order within the transaction.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_core::{
    document::{DocumentId, Facet, Place},
    ids::Timestamp,
    ingest::{Claim, Claimant, Effects, RowKey, RowState},
    schema::{Schema, Side, Table},
    value::Value,
};
use rusqlite::{Connection, params_from_iter};

use crate::{
    StoreError, checksums, conflicts,
    sql_value::Bound,
    tables::{Statements, key_values, replicated, unique},
};

/// Writes all of `effects`. Returns the tables whose rows changed.
pub(super) fn write(
    connection: &Connection,
    effects: &Effects,
    side: Side,
    now: Timestamp,
) -> Result<BTreeSet<&'static str>, StoreError> {
    documents(connection, effects)?;
    presence(connection, effects)?;
    let changed = rows(connection, effects, side)?;
    claims(connection, &effects.claims)?;
    for id in &effects.reopened {
        conflicts::settle(connection, *id, now)?;
    }
    for (id, conflict) in &effects.conflicts {
        match conflict {
            Some(conflict) => conflicts::raise(connection, conflict)?,
            None => conflicts::settle(connection, *id, now)?,
        }
    }
    for (actor, user) in &effects.actors {
        connection
            .prepare_cached("INSERT OR IGNORE INTO sync_actors (actor, user) VALUES (?1, ?2)")?
            .execute((actor.as_bytes(), user.to_string()))?;
    }
    checksums::add(connection, effects.checksums)?;
    Ok(changed)
}

fn documents(connection: &Connection, effects: &Effects) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_documents (part, row, state, shown) VALUES (?1, ?2, ?3, coalesce(?4, 0))
        ON CONFLICT (part, row) DO UPDATE SET state = excluded.state, shown = coalesce(?4, shown)";
    let mut put = connection.prepare_cached(sql)?;
    let mut take = connection.prepare_cached("DELETE FROM sync_documents WHERE part = ?1 AND row = ?2")?;
    for (id, document) in &effects.documents {
        let (part, row) = (id.part(), id.row.0.as_bytes());
        if document.is_empty() {
            take.execute((part, row))?;
            continue;
        }
        let state = effects.rows.get(&RowKey::of(id)).filter(|_| id.facet == Facet::Main);
        put.execute((part, row, document.to_bytes(), state.map(|state| state.shown)))?;
    }
    Ok(())
}

/// Rows that were shown or hidden by what happened to others: their own documents are as they were.
fn presence(connection: &Connection, effects: &Effects) -> Result<(), StoreError> {
    let sql = "UPDATE sync_documents SET shown = ?3 WHERE part = ?1 AND row = ?2 AND shown <> ?3";
    let mut show = connection.prepare_cached(sql)?;
    for (key, state) in &effects.rows {
        let id = DocumentId::main(key.table, key.row);
        if !effects.documents.contains_key(&id) {
            show.execute((id.part(), key.row.0.as_bytes(), state.shown))?;
        }
    }
    Ok(())
}

/// First goes what is hidden and what holds a unique value that may be another's next, then comes all that is shown.
fn rows(connection: &Connection, effects: &Effects, side: Side) -> Result<BTreeSet<&'static str>, StoreError> {
    let schema = Schema::hospital();
    let mut changed = BTreeSet::new();
    let of = |table: &'static Table| {
        let key = |row| RowKey { table: table.id, row };
        let first = key(holdfast_core::ids::RowId(uuid::Uuid::nil()));
        let last = key(holdfast_core::ids::RowId(uuid::Uuid::max()));
        effects.rows.range(first..=last).map(|(_, state)| state)
    };
    let tables = || schema.insert_order.iter().map(|id| schema.by_id(*id));
    for table in tables().rev().filter(|table| of(table).next().is_some()) {
        changed.insert(table.name);
        make_room(connection, table, of(table), Statements::of(table, side))?;
    }
    for table in tables().filter(|table| changed.contains(table.name)) {
        let mut upsert = connection.prepare_cached(&Statements::of(table, side).upsert)?;
        for state in of(table).filter(|state| state.shown) {
            let values = replicated(table).map(|c| Bound(state.row.get(c.id)));
            upsert.execute(params_from_iter(values))?;
        }
    }
    Ok(changed)
}

fn make_room<'r>(
    connection: &Connection,
    table: &Table,
    rows: impl Iterator<Item = &'r RowState>,
    statements: &Statements,
) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached(&statements.delete)?;
    let clear = statements.clear.as_ref();
    let mut clear = clear.map(|sql| connection.prepare_cached(sql)).transpose()?;
    for RowState { row, shown } in rows {
        let key = key_values(table, row).map(Bound);
        if !shown {
            // A row that was never whole has no key, and stands in no table.
            if key_values(table, row).all(|v| *v != Value::Null) {
                delete.execute(params_from_iter(key))?;
            }
        } else if let Some(clear) = &mut clear {
            let others = unique(table).map(|c| Bound(row.get(c.id)));
            clear.execute(params_from_iter(key.chain(others)))?;
        }
    }
    Ok(())
}

fn claims(connection: &Connection, claims: &BTreeMap<Claim, Vec<Claimant>>) -> Result<(), StoreError> {
    let sql = "DELETE FROM sync_claims WHERE tbl = ?1 AND col = ?2 AND value = ?3";
    let mut clear = connection.prepare_cached(sql)?;
    let sql = "INSERT INTO sync_claims (tbl, col, value, row, place, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = connection.prepare_cached(sql)?;
    for (claim, claimants) in claims {
        let value = claim.value.to_sql_text();
        let (table, column) = (claim.table.0, claim.column.0);
        clear.execute((table, column, &value))?;
        for claimant in claimants {
            let place = match claimant.place {
                Place::Stream(seq) => Some(seq.0 as i64),
                Place::Pending => None,
            };
            insert.execute((table, column, &value, claimant.row.0.as_bytes(), place, claimant.time.0))?;
        }
    }
    Ok(())
}
