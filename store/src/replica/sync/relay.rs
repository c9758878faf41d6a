//! What a hub relays comes with a pull, as what happened to the hub's list since this device's place in it; and what a change
//! of the server that answers means for what is pending.
//!
//! ```text
//!  list  a ─ b ─ c ─ … ─ place          a new list is read from 0: what is not in it any more falls away
//!        │   └─ refused: withdrawn      documents go back to the base, what is left is put back on top
//!        └─ taken in, if it fits        (see super::super::relayed)
//! ```
//!
//! *Invariants*
//! - Own work is never taken in here: a hub may have what was taken back and done again under another name.
//! - What a hub says of its list never loses own work: at most it is sent again.

use std::collections::{BTreeSet, HashSet};

use holdfast_core::{
    ids::{DeviceId, HubId, Timestamp, TransactionId},
    ingest::waiting::own_changes,
    protocol::{RelayList, Relayed},
    transaction::{ChangeName, Opened, Transaction},
};
use rusqlite::Connection;

use super::has;
use crate::{
    StoreError, meta,
    replica::{
        outbox,
        relayed::{self, LIMIT},
        replay::Gone,
        sight,
    },
    sql_value::uuid,
};

/// What is kept about hubs in `sync_meta`: which one answered last (nothing: the hospital's own server); its list, the place
/// in it, and whether it is being read anew; whether it has a link to the hospital and when it last had; how many transactions
/// there was no room for.
pub(in crate::replica) const META_KEYS: [&str; 7] = [
    "hub",
    "relay_list",
    "relay_place",
    "relay_anew",
    "relay_linked",
    "relay_contact",
    "relay_ignored",
];

/// How long in microseconds what others did is kept after a hub answered last: 30 days.
const PATIENCE: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// What a hub says, read.
#[derive(Debug)]
pub(super) struct Page {
    relayed: Relayed,
    listed: Vec<(Transaction, Opened)>,
    withdrawn: Vec<TransactionId>,
}

/// What came of a page.
#[derive(Default)]
pub(super) struct Noted {
    /// Others' transactions that may be shown now.
    fresh: Vec<(i64, Opened)>,
    /// Changes that were shown and are to be taken back.
    pub gone: Gone,
}

impl Page {
    /// Whose list it is.
    pub fn hub(&self) -> HubId {
        self.relayed.hub
    }

    /// There is more of it.
    pub fn more(&self) -> bool {
        self.relayed.more
    }
}

/// The place in the list that was read last.
pub(super) fn place(connection: &Connection) -> Result<Option<(RelayList, u64)>, StoreError> {
    let number = |key| Ok::<_, StoreError>(meta::get::<i64>(connection, key)?.map(|number| number as u64));
    Ok(number("relay_list")?.map(RelayList).zip(number("relay_place")?))
}

/// Reads what a hub says, before anything is taken in.
pub(super) fn read(relayed: Relayed) -> Result<Page, String> {
    let stands_still = relayed.more && (relayed.place == relayed.after || relayed.events.is_empty());
    if relayed.place < relayed.after || stands_still {
        return Err(format!("The hub's list ends at {}, which cannot be.", relayed.place));
    }
    let (mut listed, mut withdrawn) = (Vec::new(), Vec::new());
    let mut ids = HashSet::new();
    for event in &relayed.events {
        let Some(transaction) = &event.transaction else {
            withdrawn.push(event.id);
            continue;
        };
        let opened = transaction
            .open()
            .map_err(|error| format!("The hub's list cannot be read: {error}."))?;
        if opened.body.id != event.id || !ids.insert(event.id) {
            return Err(format!(
                "The hub's list has {} twice or under another name.",
                event.id.0
            ));
        }
        listed.push((transaction.clone(), opened));
    }
    listed.retain(|(_, opened)| !withdrawn.contains(&opened.body.id));
    Ok(Page {
        relayed,
        listed,
        withdrawn,
    })
}

/// The server that answers is the hospital's own, if `hub` is nothing. When it is another than before, everything that
/// waits is sent, for it may not know it. True if that is so.
pub(super) fn answers(connection: &Connection, hub: Option<HubId>, now: Timestamp) -> Result<bool, StoreError> {
    let known: Option<Vec<u8>> = meta::get(connection, "hub")?;
    let named = hub.map(|hub| *hub.0.as_bytes());
    if known.as_deref() == named.as_ref().map(<[u8; 16]>::as_slice) {
        return Ok(false);
    }
    match named {
        Some(hub) => meta::set(connection, "hub", hub)?,
        None => meta::remove(connection, "hub")?,
    }
    outbox::ask_again(connection)?;
    let sql = "UPDATE sync_outbox SET ask_again = CASE WHEN hub = ?1 THEN NULL ELSE coalesce(ask_again, ?2) END
        WHERE state IN ('relayed', 'left_out')";
    let falls_away = now.0.saturating_add(PATIENCE);
    connection.prepare_cached(sql)?.execute((named, falls_away))?;
    Ok(true)
}

/// Notes what a page says; nothing of it is shown yet. An error in words if it cannot be true.
pub(super) fn note(connection: &Connection, page: &Page, own: DeviceId) -> Result<Result<Noted, String>, StoreError> {
    let Relayed { hub, list, after, .. } = page.relayed;
    let mut noted = Noted::default();
    let known = place(connection)?;
    let goes_on = known == Some((list, after));
    match known {
        _ if goes_on => {}
        // It was taken in already.
        Some((known, place)) if known == list && after < place => return Ok(Ok(noted)),
        _ if after != 0 => {
            return Ok(Err(format!(
                "The hub's list begins at {after}, which was not asked for."
            )));
        }
        _ => begin(connection, hub)?,
    }
    let anew = meta::get(connection, "relay_anew")?.unwrap_or(false);
    for id in &page.withdrawn {
        withdraw(connection, *id, &mut noted.gone.refused)?;
    }
    let mut listing = Listing {
        connection,
        hub,
        anew,
        own,
        barred: sight::is_barred(connection)?,
        room: LIMIT.saturating_sub(taken(connection)?),
    };
    for (transaction, opened) in &page.listed {
        if let Err(problem) = listing.enter(transaction, opened, &mut noted)? {
            return Ok(Err(problem));
        }
    }
    if anew && !page.relayed.more {
        end(connection, hub, &mut noted)?;
    }
    meta::set(connection, "relay_list", list.0 as i64)?;
    meta::set(connection, "relay_place", page.relayed.place as i64)?;
    meta::set(connection, "relay_linked", page.relayed.linked)?;
    match page.relayed.contact {
        Some(contact) => meta::set(connection, "relay_contact", contact.0)?,
        None => meta::remove(connection, "relay_contact")?,
    }
    Ok(Ok(noted))
}

/// A list is read from its beginning.
fn begin(connection: &Connection, hub: HubId) -> Result<(), StoreError> {
    let sql = "UPDATE sync_outbox SET listed = 0 WHERE hub = ?1";
    connection.prepare_cached(sql)?.execute([hub.0.as_bytes()])?;
    meta::set(connection, "relay_anew", true)?;
    meta::remove(connection, "relay_ignored")
}

/// It was read to its end: what is not in it is not with this hub any more.
fn end(connection: &Connection, hub: HubId, noted: &mut Noted) -> Result<(), StoreError> {
    meta::remove(connection, "relay_anew")?;
    let sql = "UPDATE sync_outbox SET hub = NULL, ask_again = NULL WHERE hub = ?1 AND listed = 0 AND state = 'waiting'";
    connection.prepare_cached(sql)?.execute([hub.0.as_bytes()])?;
    let sql = "SELECT id FROM sync_outbox WHERE hub = ?1 AND listed = 0 AND state IN ('relayed', 'left_out')";
    remove_all(connection, sql, hub.0.as_bytes(), noted)
}

/// What others did falls away when the hub that relayed it has not answered for long.
pub(super) fn expire(connection: &Connection, now: Timestamp, noted: &mut Noted) -> Result<(), StoreError> {
    let sql = "SELECT id FROM sync_outbox WHERE state IN ('relayed', 'left_out') AND ask_again <= ?1";
    remove_all(connection, sql, now.0, noted)
}

fn remove_all(
    connection: &Connection,
    sql: &str,
    parameter: impl rusqlite::ToSql,
    noted: &mut Noted,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([parameter], |row| row.get::<_, Vec<u8>>(0))?;
    for id in ids.collect::<Result<Vec<_>, _>>()? {
        withdraw(connection, TransactionId(uuid(&id)?), &mut noted.gone.lost)?;
    }
    Ok(())
}

/// The hub does not relay one any more. One of this device's is sent again: the answer says why.
fn withdraw(connection: &Connection, id: TransactionId, gone: &mut HashSet<ChangeName>) -> Result<(), StoreError> {
    let Some(known) = relayed::find(connection, id)? else {
        return Ok(());
    };
    if known.is_own() {
        let sql = "UPDATE sync_outbox SET hub = NULL, ask_again = NULL WHERE n = ?1";
        connection.prepare_cached(sql)?.execute([known.n])?;
        return Ok(());
    }
    let opened = known.transaction.open().map_err(StoreError::corrupt)?;
    if known.state == "relayed" {
        gone.extend(own_changes(&opened));
    }
    outbox::remove(connection, known.n, &opened.body)
}

/// A list that is being read.
struct Listing<'a> {
    connection: &'a Connection,
    hub: HubId,
    /// From its beginning.
    anew: bool,
    own: DeviceId,
    /// It must not have restricted columns.
    barred: bool,
    /// How many more there is room for.
    room: u64,
}

impl Listing<'_> {
    /// The hub relays a transaction.
    fn enter(
        &mut self,
        transaction: &Transaction,
        opened: &Opened,
        noted: &mut Noted,
    ) -> Result<Result<(), String>, StoreError> {
        let id = opened.body.id;
        if let Some(known) = relayed::find(self.connection, id)? {
            let same = known.transaction.body == transaction.body;
            match known.state.as_str() {
                "waiting" if !same => {
                    return Ok(Err(format!(
                        "The hub shows other content than this device made, of {}.",
                        id.0
                    )));
                }
                "waiting" => {
                    let sql = "UPDATE sync_outbox SET hub = ?2, listed = 1 WHERE n = ?1";
                    self.connection
                        .prepare_cached(sql)?
                        .execute((known.n, self.hub.0.as_bytes()))?;
                    return Ok(Ok(()));
                }
                "rejected" => return Ok(Ok(())),
                "relayed" if same => {
                    relayed::list(self.connection, known.n, self.hub)?;
                    return Ok(Ok(()));
                }
                "left_out" if same && !self.anew => {
                    relayed::list(self.connection, known.n, self.hub)?;
                    return Ok(Ok(()));
                }
                // It is tried again, or another hub told of another one.
                _ => withdraw(self.connection, id, &mut noted.gone.lost)?,
            }
        }
        let less = relayed::unrestricted(transaction, opened).filter(|_| self.barred);
        let (transaction, visible) = match &less {
            Some(less) => (less, less.open().map_err(StoreError::corrupt)?),
            None => (transaction, opened.clone()),
        };
        let visible = relayed::visible(visible);
        if has(self.connection, &visible)? {
            return Ok(Ok(()));
        }
        let ignored: i64 = meta::get(self.connection, "relay_ignored")?.unwrap_or(0);
        if ignored > 0 || self.room == 0 {
            meta::set(self.connection, "relay_ignored", ignored + 1)?;
            return Ok(Ok(()));
        }
        self.room -= 1;
        let n = relayed::add(self.connection, self.hub, transaction, &opened.body)?;
        if opened.body.device != self.own {
            noted.fresh.push((n, visible));
        }
        Ok(Ok(()))
    }
}

fn taken(connection: &Connection) -> Result<u64, StoreError> {
    Ok(relayed::count(connection, "relayed")? + relayed::count(connection, "left_out")?)
}

/// Shows what is new and fits: the hub has all that it builds on, and so has this device at the hub's head, but for what was
/// refused or left out. Returns the tables whose rows changed.
pub(super) fn show(connection: &Connection, noted: &Noted) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut changed = BTreeSet::new();
    let Some((first, _)) = noted.fresh.first() else {
        return Ok(changed);
    };
    let mut not_here = relayed::not_here(connection, *first)?;
    for (n, opened) in &noted.fresh {
        let fits = !crate::base::builds_on(opened, &not_here);
        let shown = if fits {
            relayed::show(connection, *n, opened, |_| true)?
        } else {
            None
        };
        match shown {
            Some(tables) => changed.extend(tables),
            None => not_here.extend(own_changes(opened)),
        }
    }
    Ok(changed)
}

/// When there is room again for what there was none for, the list is read from its beginning.
pub(super) fn make_room(connection: &Connection) -> Result<(), StoreError> {
    if meta::get::<i64>(connection, "relay_ignored")?.is_some() && taken(connection)? < LIMIT / 2 {
        forget_place(connection)?;
    }
    Ok(())
}

/// The list is asked for from its beginning.
pub(super) fn forget_place(connection: &Connection) -> Result<(), StoreError> {
    meta::remove(connection, "relay_list")?;
    meta::remove(connection, "relay_place")
}
