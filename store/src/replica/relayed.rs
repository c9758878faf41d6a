//! What others did and a hub relays: it stands in `sync_outbox` between what was done here, so that all that is pending has one
//! order.
//!
//! ```text
//!  add ──► left_out ──► show: it fits ──► relayed ──► confirm: the stream has it
//!             │                              └──────► remove: withdrawn
//!             └──► confirm, remove
//! ```

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use holdfast_core::{
    document::{Document, Facet, Place},
    ids::{HubId, Seq, TransactionId},
    ingest::{Authority, Documents, Job, waiting::own_changes},
    policy::Role,
    protocol,
    schema::Side,
    transaction::{Body, ChangeName, Opened, Transaction},
};
use rusqlite::{Connection, OptionalExtension, Params};

use super::outbox::next_number;
use crate::{StoreError, base, writing::Writing};

/// How many are taken in at most.
pub(super) const LIMIT: u64 = 10_000;

/// A transaction that stands in the outbox's table.
pub(super) struct Known {
    pub n: i64,
    /// `waiting`, `rejected`, `relayed` or `left_out`
    pub state: String,
    pub transaction: Transaction,
}

impl Known {
    /// True if this device made it.
    pub fn is_own(&self) -> bool {
        matches!(self.state.as_str(), "waiting" | "rejected")
    }
}

/// The transaction with this id.
pub(super) fn find(connection: &Connection, id: TransactionId) -> Result<Option<Known>, StoreError> {
    select(connection, "id = ?1", [id.0.as_bytes()])
}

/// The one that a condition is true of.
pub(super) fn select(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> Result<Option<Known>, StoreError> {
    let found: Option<(i64, String, Vec<u8>)> = connection
        .prepare_cached(&format!("SELECT n, state, entry FROM sync_outbox WHERE {condition}"))?
        .query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((n, state, entry)) = found else {
        return Ok(None);
    };
    let transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
    Ok(Some(Known { n, state, transaction }))
}

/// A transaction without the changes that are withheld from this device.
pub(super) fn visible(opened: Opened) -> Opened {
    let Opened { mut body, changes } = opened;
    let mut there = changes.iter().map(Option::is_some);
    body.changes.retain(|_| there.next().unwrap_or(false));
    Opened {
        body,
        changes: changes.into_iter().flatten().map(Some).collect(),
    }
}

/// A transaction without the restricted columns that a hub gave to a device that must not have them: the hub knows another
/// role of its person than the hospital's server.
pub(super) fn unrestricted(transaction: &Transaction, opened: &Opened) -> Option<Transaction> {
    let mut changes = opened.body.changes.iter().zip(&opened.changes);
    changes
        .any(|(name, change)| name.document.facet == Facet::Restricted && change.is_some())
        .then(|| transaction.withhold(&opened.body, |id| id.facet == Facet::Main))
}

/// Takes the restricted columns out of what others did. It is not sent from here.
pub(super) fn withhold(connection: &Connection) -> Result<(), StoreError> {
    let sql = "SELECT n, entry FROM sync_outbox WHERE state IN ('relayed', 'left_out')";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let mut update = connection.prepare_cached("UPDATE sync_outbox SET entry = ?2 WHERE n = ?1")?;
    for (n, entry) in found.collect::<Result<Vec<_>, _>>()? {
        let transaction: Transaction = protocol::decode(&entry).map_err(StoreError::corrupt)?;
        let opened = transaction.open().map_err(StoreError::corrupt)?;
        if let Some(less) = unrestricted(&transaction, &opened) {
            update.execute((n, protocol::encode(&less)))?;
        }
    }
    Ok(())
}

/// Adds one at the end, not shown yet. Returns its number.
pub(super) fn add(
    connection: &Connection,
    hub: HubId,
    transaction: &Transaction,
    body: &Body,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO sync_outbox
        (n, id, entry, command, name, summary, user, role, new_ids, made_at, offline, state, hub, listed)
        VALUES (?1, ?2, ?3, '', ?4, '', ?5, '', x'', ?6, ?7, 'left_out', ?8, 1)";
    let n = next_number(connection)?;
    connection.prepare_cached(sql)?.execute((
        n,
        body.id.0.as_bytes(),
        protocol::encode(transaction),
        &body.command,
        body.user.to_string(),
        body.time.0,
        body.offline,
        hub.0.as_bytes(),
    ))?;
    Ok(n)
}

/// The hub relays one that is known.
pub(super) fn list(connection: &Connection, n: i64, hub: HubId) -> Result<(), StoreError> {
    let sql = "UPDATE sync_outbox SET hub = ?2, listed = 1, ask_again = NULL WHERE n = ?1";
    connection.prepare_cached(sql)?.execute((n, hub.0.as_bytes()))?;
    Ok(())
}

/// Does one on top of what is here, if it fits: a judge would take it, whoever made it. `is_here` tells of a change that it
/// builds on. Returns the tables whose rows changed.
pub(super) fn show(
    connection: &Connection,
    n: i64,
    opened: &Opened,
    is_here: impl Fn(&ChangeName) -> bool,
) -> Result<Option<BTreeSet<&'static str>>, StoreError> {
    let import = true;
    let changed = on_top(connection, n, opened, Role::Admin, import, is_here)?;
    if changed.is_some() {
        set_state(connection, n, "relayed")?;
    }
    Ok(changed)
}

/// Does a pending transaction on top of what is here, if it fits.
pub(super) fn on_top(
    connection: &Connection,
    n: i64,
    opened: &Opened,
    role: Role,
    import: bool,
    is_here: impl Fn(&ChangeName) -> bool,
) -> Result<Option<BTreeSet<&'static str>>, StoreError> {
    let mut writing = Writing::new(connection, Side::Device, opened.body.time);
    for (name, change) in opened.body.changes.iter().zip(&opened.changes) {
        for hash in change.iter().flat_map(|change| &change.change.deps) {
            let dependency = ChangeName { hash: *hash, ..*name };
            if is_here(&dependency) {
                writing.know(dependency);
            }
        }
    }
    let done = writing.carry_out(&Job::Ingest {
        opened,
        place: Place::Pending,
        authority: Authority::Judge { role, import },
    })?;
    if done.is_err() {
        return Ok(None);
    }
    base::keep(connection, n, &opened.body)?;
    writing.finish().map(Some)
}

/// One builds on what was taken back.
pub(super) fn leave_out(connection: &Connection, n: i64, body: &Body) -> Result<(), StoreError> {
    set_state(connection, n, "left_out")?;
    base::leave(connection, n, body)
}

fn set_state(connection: &Connection, n: i64, state: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE sync_outbox SET state = ?2 WHERE n = ?1")?
        .execute((n, state))?;
    Ok(())
}

/// The changes that are not here, though a hub may relay what builds on them: what was refused and what was left out, of
/// before `n`.
pub(super) fn not_here(connection: &Connection, n: i64) -> Result<HashSet<ChangeName>, StoreError> {
    let sql = "SELECT entry FROM sync_outbox WHERE state IN ('rejected', 'left_out') AND n < ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([n])?;
    let mut changes = HashSet::new();
    while let Some(row) = found.next()? {
        let transaction: Transaction = protocol::decode(&row.get::<_, Vec<u8>>(0)?).map_err(StoreError::corrupt)?;
        changes.extend(own_changes(&transaction.open().map_err(StoreError::corrupt)?));
    }
    Ok(changes)
}

/// The changes that the stream has still to bring before something that builds on them can be acknowledged: what others did,
/// and own work that a server keeps and that is not among these.
pub(super) fn ahead(connection: &Connection, but: &[TransactionId]) -> Result<HashSet<ChangeName>, StoreError> {
    let mut changes = HashSet::new();
    let sql = "SELECT entry FROM sync_outbox
        WHERE state IN ('relayed', 'left_out') OR (state = 'waiting' AND ask_again IS NOT NULL)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let transaction: Transaction = protocol::decode(&row.get::<_, Vec<u8>>(0)?).map_err(StoreError::corrupt)?;
        let opened = transaction.open().map_err(StoreError::corrupt)?;
        if !but.contains(&opened.body.id) {
            changes.extend(own_changes(&opened));
        }
    }
    Ok(changes)
}

/// The stream has one: it is pending no more. It was folded already.
pub(super) fn confirm(
    connection: &Connection,
    writing: &mut Writing<'_>,
    n: i64,
    opened: &Opened,
    seq: Seq,
) -> Result<(), StoreError> {
    writing.follow(&Job::Confirm { opened, seq })?;
    base::fold(connection, opened, seq)?;
    super::outbox::remove(connection, n, &opened.body)?;
    settle(connection, writing, opened)
}

/// Documents that nothing is pending on any more are as the stream has them, also if a hub relayed what never was.
pub(super) fn settle(connection: &Connection, writing: &mut Writing<'_>, opened: &Opened) -> Result<(), StoreError> {
    let sql = "SELECT state FROM sync_base WHERE part = ?1 AND row = ?2 AND pending = ','";
    let mut statement = connection.prepare_cached(sql)?;
    let mut other = Documents::new();
    for name in &opened.body.changes {
        let id = name.document;
        let state: Option<Vec<u8>> = statement
            .query_row((id.part(), id.row.0.as_bytes()), |row| row.get(0))
            .optional()?;
        let Some(state) = state else { continue };
        let heads = Document::heads_of(&state).map_err(StoreError::corrupt)?;
        if writing
            .set()
            .document(&id)
            .is_some_and(|document| document.heads != heads)
        {
            let document = Document::from_bytes(&state).map_err(StoreError::corrupt)?;
            other.insert(id, Arc::new(document));
        }
    }
    if !other.is_empty() {
        writing.follow(&Job::Replace {
            documents: &other,
            now: opened.body.time,
        })?;
    }
    base::release(connection, &opened.body)
}

/// How many there are in a state.
pub(super) fn count(connection: &Connection, state: &str) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM sync_outbox WHERE state = ?1";
    let count: i64 = connection.prepare_cached(sql)?.query_row([state], |row| row.get(0))?;
    Ok(count as u64)
}

/// Forgets all that others did.
pub(super) fn forget(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("DELETE FROM sync_outbox WHERE state IN ('relayed', 'left_out')", [])?;
    connection.execute("DELETE FROM sync_base", [])?;
    Ok(())
}
