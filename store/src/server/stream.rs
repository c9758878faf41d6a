//! The stream, as it is given out.

use holdfast_core::{
    checksum::Checksums,
    ids::{Seq, Timestamp},
    policy::Role,
    protocol::{self, ScopeChecksum},
    schema::{SCHEMA_VERSION, Schema},
    transaction::{LogEntry, Mark},
};

use super::{ServerStore, log::head};
use crate::{StoreError, checksums, hub};

/// A page of the stream.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// In stream order; nothing is withheld yet.
    pub entries: Vec<LogEntry>,
    /// The end of the stream.
    pub head: Seq,
    /// The documents' checksums at the end of the stream, if the page reaches it.
    pub checksums: Option<Checksums>,
}

impl Pulled {
    /// What a device of this role must come to, if the page reaches the end of the stream.
    pub fn checksum(&self, role: Role) -> Option<ScopeChecksum> {
        self.checksums.map(|sums| ScopeChecksum {
            sum: sums.visible(role.may_see_restricted()),
            restricted: role.may_see_restricted(),
            schema_version: SCHEMA_VERSION,
        })
    }
}

impl ServerStore {
    /// What comes after a place in the stream: at most `max_entries`, and no more after `max_bytes` are full. After a place
    /// that a hub has not come to, there is nothing.
    pub fn pull(&self, after: Seq, max_entries: usize, max_bytes: usize) -> Result<Pulled, StoreError> {
        // Read first, and together: what is accepted meanwhile is pulled next time.
        let (head, sums) = checksums::at_head(&self.connection)?;
        if after > head && hub::id(&self.connection)?.is_some() {
            // The device was at the hospital's server, and is ahead of the hub.
            return Ok(Pulled {
                entries: Vec::new(),
                head: after,
                checksums: None,
            });
        }
        #[cfg(feature = "testing")]
        let head = match self.remembered.get() {
            Some(remembered) if broken!(EndRemembered) => remembered.min(head),
            _ => head,
        };
        let sql = "SELECT seq, accepted_at, entry FROM sync_log WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = statement.query((after.min(head).0 as i64, head.0 as i64, max_entries as i64))?;
        let mut entries = Vec::new();
        let mut bytes = 0;
        while let Some(row) = found.next()? {
            let entry = row.get_ref(2)?.as_blob().map_err(StoreError::corrupt)?;
            bytes += entry.len();
            entries.push(LogEntry {
                seq: Seq(row.get::<_, i64>(0)? as u64),
                accepted_at: Timestamp(row.get(1)?),
                transaction: protocol::decode(entry).map_err(StoreError::corrupt)?,
            });
            if bytes >= max_bytes {
                break;
            }
        }
        if broken!(EntryOvertaken) && entries.len() > 1 {
            entries.remove(entries.len() - 2);
        }
        let reaches_head = entries.last().map_or(after, |last| last.seq) >= head;
        Ok(Pulled {
            entries,
            head,
            checksums: reaches_head.then_some(sums),
        })
    }

    /// The mark of the entry at a place; `None` if there is none.
    pub fn mark(&self, place: Seq) -> Result<Option<Mark>, StoreError> {
        let Some(before) = place.0.checked_sub(1) else {
            return Ok(None);
        };
        let found = self.pull(Seq(before), 1, 1)?;
        let entry = found.entries.first().filter(|entry| entry.seq == place);
        entry.map(LogEntry::mark).transpose().map_err(StoreError::corrupt)
    }

    /// True if the stream has an entry with this mark at a place, or may have: a hub that has not come to the place cannot
    /// tell. If not, this server or the hospital's was put back to a backup.
    pub fn is_in_history(&self, place: Seq, mark: &Mark) -> Result<bool, StoreError> {
        Ok(match self.mark(place)? {
            Some(found) => found == *mark,
            None => place > self.head()? && hub::id(&self.connection)?.is_some(),
        })
    }

    /// The end of the stream; 0 while it is empty.
    pub fn head(&self) -> Result<Seq, StoreError> {
        head(&self.connection)
    }

    /// How many rows a table has; 0 if it is none of the 33.
    pub fn count(&self, table: &str) -> Result<u64, StoreError> {
        let Some(table) = Schema::hospital().table(table) else {
            return Ok(0);
        };
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count: i64 = self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        Ok(count as u64)
    }
}
