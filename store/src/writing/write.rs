//! Writes what a working set did. Deferred foreign keys let rows come and go in any order within the transaction.

use std::collections::BTreeSet;

use holdfast_core::{
    document::{Document, DocumentId, Facet, Place},
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
    for (id, document) in &effects.documents {
        write_document(connection, *id, document)?;
    }
    for (key, state) in &effects.rows {
        show(connection, *key, state.shown)?;
    }
    let changed = rows(connection, effects, side)?;
    for (claim, claimants) in &effects.claims {
        claims(connection, claim, claimants)?;
    }
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

fn write_document(connection: &Connection, id: DocumentId, document: &Document) -> Result<(), StoreError> {
    let (part, row) = (id.part(), id.row.0.as_bytes());
    if document.is_empty() {
        connection
            .prepare_cached("DELETE FROM sync_documents WHERE part = ?1 AND row = ?2")?
            .execute((part, row))?;
        return Ok(());
    }
    let sql = "INSERT INTO sync_documents (part, row, state, shown) VALUES (?1, ?2, ?3, 0)
        ON CONFLICT (part, row) DO UPDATE SET state = excluded.state";
    connection
        .prepare_cached(sql)?
        .execute((part, row, document.to_bytes()))?;
    Ok(())
}

fn show(connection: &Connection, key: RowKey, shown: bool) -> Result<(), StoreError> {
    let id = DocumentId {
        table: key.table,
        facet: Facet::Main,
        row: key.row,
    };
    let sql = "UPDATE sync_documents SET shown = ?3 WHERE part = ?1 AND row = ?2 AND shown <> ?3";
    connection
        .prepare_cached(sql)?
        .execute((id.part(), key.row.0.as_bytes(), shown))?;
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
    for table in tables().rev() {
        for state in of(table) {
            changed.insert(table.name);
            make_room(connection, table, state, Statements::of(table, side))?;
        }
    }
    for table in tables() {
        for state in of(table).filter(|state| state.shown) {
            let values = replicated(table).map(|c| Bound(state.row.get(c.id)));
            connection
                .prepare_cached(&Statements::of(table, side).upsert)?
                .execute(params_from_iter(values))?;
        }
    }
    Ok(changed)
}

fn make_room(
    connection: &Connection,
    table: &Table,
    state: &RowState,
    statements: &Statements,
) -> Result<(), StoreError> {
    let key = |row| -> Vec<Bound<'_>> { key_values(table, row).map(Bound).collect() };
    if !state.shown {
        // A row that was never whole has no key, and stands in no table.
        if key_values(table, &state.row).all(|v| *v != Value::Null) {
            connection
                .prepare_cached(&statements.delete)?
                .execute(params_from_iter(key(&state.row)))?;
        }
    } else if let Some(clear) = &statements.clear {
        let others = unique(table).map(|c| Bound(state.row.get(c.id)));
        connection
            .prepare_cached(clear)?
            .execute(params_from_iter(key(&state.row).into_iter().chain(others)))?;
    }
    Ok(())
}

fn claims(connection: &Connection, claim: &Claim, claimants: &[Claimant]) -> Result<(), StoreError> {
    let value = claim.value.to_sql_text();
    connection
        .prepare_cached("DELETE FROM sync_claims WHERE tbl = ?1 AND col = ?2 AND value = ?3")?
        .execute((claim.table.0, claim.column.0, &value))?;
    let sql = "INSERT INTO sync_claims (tbl, col, value, row, place, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = connection.prepare_cached(sql)?;
    for claimant in claimants {
        let place = match claimant.place {
            Place::Stream(seq) => Some(seq.0 as i64),
            Place::Pending => None,
        };
        insert.execute((
            claim.table.0,
            claim.column.0,
            &value,
            claimant.row.0.as_bytes(),
            place,
            claimant.time.0,
        ))?;
    }
    Ok(())
}
