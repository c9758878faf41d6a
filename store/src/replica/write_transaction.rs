//! The database transactions of a replica.

use std::ops::Deref;

use rusqlite::Connection;

use crate::StoreError;

/// A database transaction that writes. Unless it is [committed](WriteTransaction::commit) it is taken back. Its statements
/// are prepared once: in a browser that takes as long as carrying them out.
pub(super) struct WriteTransaction<'c>(&'c Connection);

impl<'c> WriteTransaction<'c> {
    pub fn begin(connection: &'c Connection) -> Result<Self, StoreError> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self(connection))
    }

    /// All of it is durable when this returns.
    pub fn commit(self) -> Result<(), StoreError> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Deref for WriteTransaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for WriteTransaction<'_> {
    fn drop(&mut self) {
        // Neither committed, nor taken back by SQLite itself after an error.
        if !self.0.is_autocommit() {
            // If this fails, the next one cannot begin, which says so.
            self.0.execute_batch("ROLLBACK").ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(connection: &Connection) -> i64 {
        connection
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn what_is_not_committed_is_taken_back() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (n)").unwrap();
        let insert = |writer: &WriteTransaction<'_>| writer.execute("INSERT INTO t VALUES (1)", []).unwrap();
        insert(&WriteTransaction::begin(&connection).unwrap());
        assert_eq!(count(&connection), 0);
        let writer = WriteTransaction::begin(&connection).unwrap();
        insert(&writer);
        writer.commit().unwrap();
        assert_eq!(count(&connection), 1);
    }

    #[test]
    fn a_commit_that_fails_is_taken_back_too() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "PRAGMA foreign_keys = 1;
            CREATE TABLE t (n PRIMARY KEY REFERENCES t DEFERRABLE INITIALLY DEFERRED)";
        connection.execute_batch(sql).unwrap();
        connection
            .execute_batch("CREATE TABLE u (n REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
            .unwrap();
        let writer = WriteTransaction::begin(&connection).unwrap();
        writer.execute("INSERT INTO u VALUES (1)", []).unwrap();
        writer.commit().unwrap_err();
        WriteTransaction::begin(&connection).unwrap().commit().unwrap();
        assert_eq!(count(&connection), 0);
    }
}
