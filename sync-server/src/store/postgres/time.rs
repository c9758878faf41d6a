//! Times in queries: written as text that PostgreSQL casts, or where there are many as they are; read as microseconds.

use chrono::{DateTime, Utc};
use holdfast_core::ids::Timestamp;

/// For a parameter that is a `timestamptz`.
pub(super) fn bound(time: Timestamp) -> DateTime<Utc> {
    let furthest = if time.0 < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    DateTime::from_timestamp_micros(time.0).unwrap_or(furthest)
}

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
