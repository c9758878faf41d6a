//! Gives the stream out.

use holdfast_core::{
    ids::Seq,
    protocol::decode,
    schema::Schema,
    transaction::{LogEntry, Mark, Transaction},
};
use holdfast_store::server::Pulled;
use sqlx::{AssertSqlSafe, Row};

use super::{
    PostgresStore, StoreError, checksums,
    time::{self, micros},
};

impl PostgresStore {
    /// What comes after a place in the stream: at most `max_entries`, and no more after `max_bytes` are full.
    pub async fn pull(&self, after: Seq, max_entries: usize, max_bytes: usize) -> Result<Pulled, StoreError> {
        // The head is read first: what comes in between is simply there already.
        let head = sqlx::query("SELECT seq, checksums FROM sync.head")
            .fetch_one(&self.pool)
            .await?;
        let (head, sums) = checksums::read(&head)?;
        let found = sqlx::query(concat!(
            "SELECT seq, ",
            micros!("accepted_at"),
            ", entry FROM (
                 SELECT *, sum(octet_length(entry)) OVER (ORDER BY seq) - octet_length(entry) AS before
                 FROM (SELECT seq, accepted_at, entry FROM sync.log WHERE seq > $1 ORDER BY seq LIMIT $2) page
             ) measured WHERE before < $3 ORDER BY seq"
        ))
        .bind(i64::try_from(after.0).unwrap_or(i64::MAX))
        .bind(max_entries as i64)
        .bind(max_bytes as i64)
        .fetch_all(&self.pool)
        .await?;
        let mut entries = Vec::with_capacity(found.len());
        for record in found {
            let seq: i64 = record.try_get(0)?;
            let transaction: Transaction =
                decode(record.try_get(2)?).map_err(|_| StoreError::Corrupt("a log entry cannot be read"))?;
            entries.push(LogEntry {
                seq: Seq(seq as u64),
                accepted_at: time::read(&record, 1)?,
                transaction,
            });
        }
        // Entries that came since lie behind the checksums.
        let last = entries.last().map_or(after, |last| last.seq);
        Ok(Pulled {
            checksums: (last == head).then_some(sums),
            head: if entries.is_empty() { head } else { head.max(last) },
            entries,
        })
    }

    /// The mark of the entry at a place; `None` if there is none.
    pub async fn mark(&self, place: Seq) -> Result<Option<Mark>, StoreError> {
        let Some(before) = place.0.checked_sub(1) else {
            return Ok(None);
        };
        let found = self.pull(Seq(before), 1, 1).await?;
        let entry = found.entries.first().filter(|entry| entry.seq == place);
        entry
            .map(LogEntry::mark)
            .transpose()
            .map_err(|_| StoreError::Corrupt("a log entry cannot be read"))
    }

    /// The end of the stream; 0 while it is empty.
    pub async fn head(&self) -> Result<Seq, StoreError> {
        let seq: i64 = sqlx::query_scalar("SELECT seq FROM sync.head")
            .fetch_one(&self.pool)
            .await?;
        Ok(Seq(seq as u64))
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> Result<u64, StoreError> {
        let table = Schema::hospital().expect(table);
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.pool).await?;
        Ok(count as u64)
    }
}
