//! The log, read page by page.

use holdfast_core::ids::{Seq, Timestamp};

use crate::validate::session::{Dialect, Session, SessionError, TextRow};

/// No page takes in another entry after this many bytes.
const PAGE_BYTES: usize = 4 << 20;

/// How many entries a page has at most.
const PAGE_ENTRIES: usize = 2_000;

/// An entry as the log has it.
#[derive(Clone, Debug, Default)]
pub struct RawEntry {
    /// Its place.
    pub seq: Seq,
    /// The log's own columns, which repeat what the entry says: id, user, device, time in microseconds, and what its command was
    /// first made into, if that is another.
    pub columns: [String; 5],
    /// When the server took it.
    pub accepted_at: Timestamp,
    /// The transaction, in hexadecimal digits.
    pub entry: String,
}

/// The stream's end, as the store says.
pub async fn head(session: &mut Session) -> Result<Seq, SessionError> {
    let sql = match session.dialect() {
        Dialect::Sqlite => "SELECT CAST(value AS TEXT) FROM sync_meta WHERE key = 'head'",
        Dialect::Postgres => "SELECT seq::text FROM sync.head",
    };
    let head = session.value(sql, &[]).await?;
    Ok(Seq(head.and_then(|head| head.parse().ok()).unwrap_or(0)))
}

/// The entries after a place; none at the end.
pub async fn page(session: &mut Session, after: Seq) -> Result<Vec<RawEntry>, SessionError> {
    let sql = match session.dialect() {
        Dialect::Sqlite => sql(
            "CAST(l.seq AS TEXT), lower(hex(l.id)), l.user, l.device, CAST(l.time AS TEXT), lower(hex(l.first_id)),
                CAST(l.accepted_at AS TEXT), hex(l.entry)",
            "sync_log",
            "CAST(?1 AS INTEGER)",
        ),
        Dialect::Postgres => sql(
            "l.seq::text, replace(l.id::text, '-', ''), l.user_id::text, l.device::text,
                (extract(epoch FROM l.time) * 1000000)::bigint::text, replace(l.first_id::text, '-', ''),
                (extract(epoch FROM l.accepted_at) * 1000000)::bigint::text, encode(l.entry, 'hex')",
            "sync.log",
            "$1::bigint",
        ),
    };
    let mut entries = Vec::new();
    let take = |row| {
        entries.push(raw(row));
        Ok(())
    };
    session.each(&sql, &[Some(after.to_string())], take).await?;
    Ok(entries)
}

/// Sizes are summed up before entries are read, so that a page of large ones is a short one.
fn sql(columns: &str, log: &str, after: &str) -> String {
    format!(
        "SELECT {columns} FROM (
            SELECT seq, sum(size) OVER (ORDER BY seq) - size AS before FROM (
                SELECT seq, length(entry) AS size FROM {log} WHERE seq > {after} ORDER BY seq LIMIT {PAGE_ENTRIES}
            ) AS sizes
        ) AS page JOIN {log} AS l ON l.seq = page.seq WHERE page.before < {PAGE_BYTES} ORDER BY l.seq"
    )
}

fn raw(row: TextRow) -> RawEntry {
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let mut next = || cells.next().unwrap_or_default();
    RawEntry {
        seq: Seq(next().parse().unwrap_or(0)),
        columns: [next(), next(), next(), next(), next()],
        accepted_at: Timestamp(next().parse().unwrap_or(0)),
        entry: next(),
    }
}
