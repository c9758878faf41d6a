//! Writes what a working set did. Deferred foreign keys let rows come and go in any order within the transaction.

use std::collections::BTreeSet;

use holdfast_core::{
    document::{DocumentId, Facet, Place},
    ids::Timestamp,
    ingest::{Effects, RowKey, RowState},
    row::Row,
    schema::{ColumnId, Schema, Side, Table},
    value::Value,
};
use rusqlite::{Connection, ErrorCode, ToSql, params_from_iter};

use crate::{
    StoreError, checksums, conflicts,
    sql_value::Bound,
    tables::{Statements, key_values, replicated, unique},
};

/// How many columns a statement of their own is worth.
const FEW: usize = 6;

/// Writes all of `effects`. Returns the tables whose rows changed.
pub(super) fn write(
    connection: &Connection,
    effects: &Effects,
    side: Side,
    now: Timestamp,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let others = documents(connection, effects)?;
    presence(connection, &others)?;
    let changed = rows(connection, effects, side)?;
    claims(connection, effects)?;
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

/// How many new documents one statement takes, so that SQLite finds its place for them once.
const TOGETHER: usize = 16;

/// Returns the rows that were shown or hidden by what happened to others: their own documents are as they were.
fn documents<'e>(connection: &Connection, effects: &'e Effects) -> Result<Vec<(&'e RowKey, &'e RowState)>, StoreError> {
    let update = "UPDATE sync_documents SET state = ?3, shown = coalesce(?4, shown) WHERE part = ?1 AND row = ?2";
    let mut put = connection.prepare_cached(update)?;
    let mut take = connection.prepare_cached("DELETE FROM sync_documents WHERE part = ?1 AND row = ?2")?;
    let (mut new, mut others) = (Vec::new(), Vec::new());
    // Rows are in the order of their main documents.
    let mut rows = effects.rows.iter().peekable();
    for (id, document) in &effects.documents {
        let (part, row) = (id.part(), id.row.0.as_bytes());
        let key = RowKey::of(id);
        let mut shown = None;
        if id.facet == Facet::Main {
            while let Some(other) = rows.next_if(|(other, _)| **other < key) {
                others.push(other);
            }
            shown = rows.next_if(|(other, _)| **other == key).map(|(_, state)| state.shown);
        }
        if document.is_empty() {
            take.execute((part, row))?;
            continue;
        }
        let bytes = document.to_bytes();
        if effects.new.documents.contains(id) || put.execute((part, row, &bytes, shown))? == 0 {
            new.push((part, row, bytes, shown.unwrap_or_default()));
        }
    }
    others.extend(rows);
    insert_documents(connection, &new)?;
    Ok(others)
}

fn insert_documents(connection: &Connection, new: &[(i16, &[u8; 16], Vec<u8>, bool)]) -> Result<(), StoreError> {
    let (many, few) = new.as_chunks::<TOGETHER>();
    for documents in many.iter().map(<[_; TOGETHER]>::as_slice).chain(few.chunks(1)) {
        // `OR FAIL`: a failure takes the transaction with it, so that SQLite need not be able to take back the statement alone.
        let places = vec!["(?, ?, ?, ?)"; documents.len()].join(", ");
        let sql = format!("INSERT OR FAIL INTO sync_documents (part, row, state, shown) VALUES {places}");
        let values = documents
            .iter()
            .flat_map(|(part, row, state, shown)| [part as &dyn ToSql, row, state, shown]);
        connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    }
    Ok(())
}

fn presence(connection: &Connection, rows: &[(&RowKey, &RowState)]) -> Result<(), StoreError> {
    let sql = "UPDATE sync_documents SET shown = ?3 WHERE part = ?1 AND row = ?2 AND shown <> ?3";
    let mut show = connection.prepare_cached(sql)?;
    for (key, state) in rows {
        let part = DocumentId::main(key.table, key.row).part();
        show.execute((part, key.row.0.as_bytes(), state.shown))?;
    }
    Ok(())
}

/// First goes what is hidden and what holds a unique value that may be another's next, then comes all that is shown. What is
/// new holds nothing yet, and of most edits a column or two is written, which leaves the table's indexes alone.
fn rows(connection: &Connection, effects: &Effects, side: Side) -> Result<BTreeSet<&'static str>, StoreError> {
    let schema = Schema::hospital();
    let mut changed = BTreeSet::new();
    let of = |table: &'static Table| {
        let key = |row| RowKey { table: table.id, row };
        let first = key(holdfast_core::ids::RowId(uuid::Uuid::nil()));
        let last = key(holdfast_core::ids::RowId(uuid::Uuid::max()));
        effects.rows.range(first..=last)
    };
    let tables = || schema.insert_order.iter().map(|id| schema.by_id(*id));
    for table in tables().rev().filter(|table| of(table).next().is_some()) {
        changed.insert(table.name);
        let stands = |key: &RowKey, state: &RowState| {
            effects.new.rows.contains(key) || (state.shown && few_changed(table, effects, key).is_some())
        };
        let mut known = of(table).filter(|(key, state)| !stands(key, state)).peekable();
        if known.peek().is_some() {
            make_room(
                connection,
                table,
                known.map(|(_, state)| state),
                Statements::of(table, side),
            )?;
        }
    }
    for table in tables().filter(|table| changed.contains(table.name)) {
        let statements = Statements::of(table, side);
        let mut insert = connection.prepare_cached(&statements.insert)?;
        for (key, state) in of(table).filter(|(_, state)| state.shown) {
            let values = || params_from_iter(replicated(table).map(|c| Bound::of(state.row.get(c.id))));
            if effects.new.rows.contains(key) {
                match insert.execute(values()) {
                    // Somebody has put one in by hand.
                    Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {}
                    other => {
                        other?;
                        continue;
                    }
                }
            } else if let Some(columns) = few_changed(table, effects, key)
                && update(connection, table, &state.row, columns)?
            {
                continue;
            }
            connection.prepare_cached(&statements.upsert)?.execute(values())?;
        }
    }
    Ok(changed)
}

/// The changed columns of a row that is in its table, if they are few and none is unique.
fn few_changed<'e>(table: &Table, effects: &'e Effects, key: &RowKey) -> Option<&'e BTreeSet<ColumnId>> {
    let changed = effects.changed.get(key).filter(|columns| columns.len() <= FEW)?;
    let stays = |id: &ColumnId| !table.primary_key.contains(id) && !unique(table).any(|column| column.id == *id);
    changed.iter().all(stays).then_some(changed)
}

/// Writes some columns of a row. False if somebody has taken it out of its table.
fn update(connection: &Connection, table: &Table, row: &Row, columns: &BTreeSet<ColumnId>) -> Result<bool, StoreError> {
    if columns.is_empty() {
        return Ok(true);
    }
    let set: Vec<String> = columns
        .iter()
        .map(|id| format!("{} = ?", table.by_id(*id).name))
        .collect();
    let key: Vec<String> = table.key_names().iter().map(|name| format!("{name} = ?")).collect();
    let sql = format!(
        "UPDATE {} SET {} WHERE {}",
        table.name,
        set.join(", "),
        key.join(" AND ")
    );
    let values = columns
        .iter()
        .map(|id| row.get(*id))
        .chain(key_values(table, row))
        .map(Bound::of);
    let written = connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(written > 0)
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
        let key = key_values(table, row).map(Bound::of);
        if !shown {
            // A row that was never whole has no key, and stands in no table.
            if key_values(table, row).all(|v| *v != Value::Null) {
                delete.execute(params_from_iter(key))?;
            }
        } else if let Some(clear) = &mut clear {
            let others = unique(table).map(|c| Bound::of(row.get(c.id)));
            clear.execute(params_from_iter(key.chain(others)))?;
        }
    }
    Ok(())
}

fn claims(connection: &Connection, effects: &Effects) -> Result<(), StoreError> {
    let sql = "DELETE FROM sync_claims WHERE tbl = ?1 AND col = ?2 AND value = ?3";
    let mut clear = connection.prepare_cached(sql)?;
    let sql = "INSERT INTO sync_claims (tbl, col, value, row, place, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = connection.prepare_cached(sql)?;
    for (claim, claimants) in &effects.claims {
        let value = claim.value.to_sql_text();
        let (table, column) = (claim.table.0, claim.column.0);
        if !effects.new.claims.contains(claim) || broken!(ClaimUnchecked) {
            clear.execute((table, column, &value))?;
        }
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
