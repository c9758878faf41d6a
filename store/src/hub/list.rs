//! The list of what is relayed, as devices are told it: each event has a place, and places only grow.
//!
//! ```text
//!  places   1 a    2 b    3 c    4 b withdrawn
//!  told     from 0: a, c    from 2: c, b withdrawn
//! ```
//!
//! What came into the stream is only there. With every opening of the store a new list begins: a store that was put back to a
//! backup would give places out again.

use std::{fmt, str::FromStr};

use holdfast_core::{
    ids::{Seq, TransactionId},
    policy::Role,
    protocol::{self, RelayEvent, RelayList, Relayed},
    transaction::Transaction,
};
use rusqlite::{Connection, TransactionBehavior};

use super::require;
use crate::{Host, ServerStore, StoreError, meta, server::Pulled, sql_value::uuid};

/// In `sync_meta`: names the list.
const LIST: &str = "relay_list";

/// In `sync_meta`: the last place.
const LAST: &str = "relay_place";

/// Where a device is in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelayPlace {
    /// Which list.
    pub list: RelayList,
    /// Its place there.
    pub place: u64,
}

/// As a pull names it: the list's 16 hexadecimal digits, a point, the place.
impl fmt::Display for RelayPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{}", self.list.0, self.place)
    }
}

/// A text that is no [`RelayPlace`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it is no place in a list of what is relayed")]
pub struct NoRelayPlace;

/// Takes a place only as it is written: each has one text.
impl FromStr for RelayPlace {
    type Err = NoRelayPlace;

    fn from_str(text: &str) -> Result<Self, NoRelayPlace> {
        let (list, place) = text.split_once('.').ok_or(NoRelayPlace)?;
        let read = Self {
            list: RelayList(u64::from_str_radix(list, 16).map_err(|_| NoRelayPlace)?),
            place: place.parse().map_err(|_| NoRelayPlace)?,
        };
        if read.to_string() == text {
            Ok(read)
        } else {
            Err(NoRelayPlace)
        }
    }
}

impl ServerStore {
    /// What is relayed since a device's place: at most `max_events`, and no more after `max_bytes` are full. Changes that the
    /// role may not see are withheld. A place of another list, or none, begins with an empty list: then all that is relayed.
    /// `contact` is left `None` and `linked` false: the store does not know of them.
    pub fn relayed(
        &self,
        since: Option<RelayPlace>,
        role: Role,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Relayed, StoreError> {
        let hub = require(&self.connection)?;
        let list = RelayList(meta::get::<i64>(&self.connection, LIST)?.unwrap_or(0) as u64);
        let newest = meta::get::<i64>(&self.connection, LAST)?.unwrap_or(0) as u64;
        let known = since.filter(|since| since.list == list && since.place <= newest);
        let after = known.map_or(0, |since| since.place);
        let (events, reached) = self.events(after, role, max_events.max(1), max_bytes)?;
        Ok(Relayed {
            hub,
            list,
            after,
            events,
            place: reached.unwrap_or(newest),
            more: reached.is_some(),
            contact: None,
            linked: false,
        })
    }

    /// A page of the stream, and with the last one what is relayed, both as they were at one moment.
    pub fn pull_relayed(
        &self,
        after: Seq,
        since: Option<RelayPlace>,
        role: Role,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<(Pulled, Option<Relayed>), StoreError> {
        // One state of the database for both.
        let transaction = self.connection.unchecked_transaction()?;
        let pulled = self.pull(after, max_entries, max_bytes)?;
        let in_step = pulled.entries.last().map_or(after, |last| last.seq) >= pulled.head;
        let relayed = in_step.then(|| self.relayed(since, role, max_entries, max_bytes));
        let relayed = relayed.transpose()?;
        drop(transaction);
        Ok((pulled, relayed))
    }

    /// Events after a place, and the place of the last one if there are more.
    fn events(
        &self,
        after: u64,
        role: Role,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<(Vec<RelayEvent>, Option<u64>), StoreError> {
        // Who begins with an empty list has nothing that could be withdrawn.
        let sql = "SELECT place, id, entry FROM sync_relay WHERE place > ?1
            UNION ALL SELECT place, id, NULL FROM sync_withdrawn WHERE place > ?1 AND ?1 > 0
            ORDER BY place";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query([after as i64])?;
        let (mut events, mut bytes, mut reached) = (Vec::new(), 0, after);
        while let Some(row) = found.next()? {
            if events.len() >= max_events || bytes >= max_bytes {
                return Ok((events, Some(reached)));
            }
            reached = row.get::<_, i64>(0)? as u64;
            let entry: Option<Vec<u8>> = row.get(2)?;
            bytes += entry.as_ref().map_or(0, Vec::len);
            events.push(RelayEvent {
                id: TransactionId(uuid(&row.get::<_, Vec<u8>>(1)?)?),
                transaction: entry.map(|entry| for_role(&entry, role)).transpose()?,
            });
        }
        Ok((events, None))
    }
}

fn for_role(entry: &[u8], role: Role) -> Result<Transaction, StoreError> {
    let transaction: Transaction = protocol::decode(entry).map_err(StoreError::corrupt)?;
    let body = transaction.body().map_err(StoreError::corrupt)?;
    Ok(transaction.withhold(&body, |id| role.may_see(id)))
}

/// The store is opened: begins a new list.
pub(crate) fn open(connection: &mut Connection, host: &mut Host) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    begin(&transaction, host)?;
    if broken!(RelayForgotten) {
        transaction.execute("DELETE FROM sync_relay", [])?;
    }
    transaction.commit()?;
    Ok(())
}

/// Begins a new list. What was withdrawn from an older one concerns nobody any more.
pub(super) fn begin(connection: &Connection, host: &mut Host) -> Result<(), StoreError> {
    meta::set(connection, LIST, i64::from_be_bytes(host.bytes()))?;
    connection.execute("DELETE FROM sync_withdrawn", [])?;
    Ok(())
}

fn next(connection: &Connection) -> Result<i64, StoreError> {
    let place = meta::get::<i64>(connection, LAST)?.unwrap_or(0) + 1;
    meta::set(connection, LAST, place)?;
    Ok(place)
}

/// A transaction is relayed and in the documents here.
pub(super) fn add(connection: &Connection, n: i64) -> Result<(), StoreError> {
    let sql = "UPDATE sync_relay SET place = ?2 WHERE n = ?1";
    connection.prepare_cached(sql)?.execute((n, next(connection)?))?;
    Ok(())
}

/// A transaction is not relayed any more, and not in the stream either.
pub(super) fn withdraw(connection: &Connection, id: TransactionId) -> Result<(), StoreError> {
    let sql = "INSERT INTO sync_withdrawn (place, id) VALUES (?1, ?2)";
    connection
        .prepare_cached(sql)?
        .execute((next(connection)?, id.0.as_bytes()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for (list, place) in [(255, 7), (0, 0), (u64::MAX, u64::MAX)] {
            let written = RelayPlace {
                list: RelayList(list),
                place,
            };
            assert_eq!(written.to_string().parse(), Ok(written));
        }
        assert_eq!(
            "00000000000000ff.7".parse(),
            Ok(RelayPlace {
                list: RelayList(255),
                place: 7
            })
        );
    }

    #[test]
    fn anything_else_is_no_place() {
        for text in [
            "",
            ".",
            "ff.7",
            "00000000000000ff",
            "00000000000000ff.",
            "00000000000000FF.7",
            "+0000000000000ff.7",
            "00000000000000fg.1",
            "00000000000000ff.-1",
            "00000000000000ff.+1",
            "00000000000000ff.07",
            "00000000000000ff.1.",
            "00000000000000ff.18446744073709551616",
        ] {
            assert_eq!(text.parse::<RelayPlace>(), Err(NoRelayPlace), "{text}");
        }
    }
}
