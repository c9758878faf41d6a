//! Times in queries: written as text that PostgreSQL casts, read as microseconds.

use holdfast_core::ids::Timestamp;

/// What a query selects for a `timestamptz` column, to be read by [`read`]. A macro, so that queries stay literals.
macro_rules! micros {
    ($column:literal) => {
        concat!("(extract(epoch FROM ", $column, ") * 1000000)::bigint")
    };
}
pub(super) use micros;

/// Reads what [`micros`] selected.
pub(super) fn read(record: &sqlx::postgres::PgRow, index: usize) -> Result<Timestamp, sqlx::Error> {
    sqlx::Row::try_get(record, index).map(Timestamp)
}
