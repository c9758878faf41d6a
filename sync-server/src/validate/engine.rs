//! Holdfast's own tables beside the hospital's.

use std::collections::BTreeSet;

use holdfast_core::schema::Schema;

use super::{
    found::Found,
    report::Check,
    session::{Dialect, Session, SessionError},
};

/// The engine's tables, without the prefix that sets them apart.
pub const TABLES: [&str; 16] = [
    "actors",
    "changes",
    "claims",
    "conflicts",
    "credentials",
    "device_users",
    "devices",
    "documents",
    "hubs",
    "log",
    "meta",
    "quarantine",
    "refused_changes",
    "sessions",
    "waiting",
    "waiting_changes",
];

/// The format that this build writes.
fn newest(dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => holdfast_store::schema::FORMAT.to_string(),
        Dialect::Postgres => crate::store::postgres::FORMAT.to_string(),
    }
}

/// What of Holdfast is in a database.
pub enum Presence {
    /// Nothing.
    Absent,
    /// Its tables, in this format.
    Present(Vec<Check>),
}

/// Looks for the engine's tables and their format.
pub async fn check(session: &mut Session, found: &Found) -> Result<Presence, SessionError> {
    let (names, prefix) = match session.dialect() {
        Dialect::Postgres => {
            let sql =
                "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace('sync')";
            let rows = session.rows(sql, &[]).await?;
            (
                rows.into_iter()
                    .filter_map(|row| row.into_iter().next().flatten())
                    .collect(),
                "sync.",
            )
        }
        Dialect::Sqlite => {
            let own = found
                .keys()
                .filter_map(|name| name.strip_prefix("sync_"))
                .map(str::to_owned);
            (own.collect::<BTreeSet<String>>(), "sync_")
        }
    };
    if !names.contains("meta") {
        return Ok(Presence::Absent);
    }
    let mut missing: Vec<String> = TABLES
        .iter()
        .filter(|name| !names.contains(**name))
        .map(|name| format!("{prefix}{name} is missing"))
        .collect();
    // SQLite keeps the stream's end in the log itself.
    if session.dialect() == Dialect::Postgres && !names.contains("head") {
        missing.push("sync.head is missing".into());
    }
    let expected = TABLES.len() + usize::from(session.dialect() == Dialect::Postgres);
    let wrong = missing.len();
    let tables = Check::counted(
        "engine tables",
        expected,
        wrong,
        missing,
        "restore the database from the last backup",
    );
    Ok(Presence::Present(vec![format(session).await?, tables]))
}

async fn format(session: &mut Session) -> Result<Check, SessionError> {
    let sql = match session.dialect() {
        Dialect::Postgres => "SELECT convert_from(value, 'UTF8') FROM sync.meta WHERE key = 'format'",
        Dialect::Sqlite => "SELECT CAST(value AS TEXT) FROM sync_meta WHERE key = 'format'",
    };
    let newest = newest(session.dialect());
    Ok(match session.value(sql, &[]).await? {
        Some(found) if found == newest => Check::passed("format", format!("{found}, this program's own")),
        Some(found) => {
            let advice =
                "use the program of that version; an older database is brought up to date by `sync-server serve`";
            Check::failed(
                "format",
                format!("{found}, where this program writes {newest}"),
                Vec::new(),
                advice,
            )
        }
        None => Check::failed(
            "format",
            "none",
            Vec::new(),
            "restore the database from the last backup",
        ),
    })
}

/// Compares the number of each table's rows with the number that the engine says it shows.
pub async fn count_rows(session: &mut Session) -> Result<Check, SessionError> {
    let documents = match session.dialect() {
        Dialect::Postgres => "sync.documents WHERE shown",
        Dialect::Sqlite => "sync_documents WHERE shown = 1",
    };
    let (mut total, mut problems) = (0_u64, Vec::new());
    for table in &Schema::hospital().tables {
        let rows = count(session, table.name).await?;
        let shown = count(session, &format!("{documents} AND part = {}", table.id.0)).await?;
        total += rows;
        if rows != shown {
            problems.push(format!("{} has {rows} rows where the log tells of {shown}", table.name));
        }
    }
    let advice =
        "somebody wrote to these tables by hand: such rows are not in the log; enter them in the app, or import them";
    Ok(match problems.len() {
        0 => Check::passed("rows", format!("{total}, as many as the log tells of")),
        wrong => Check::failed("rows", format!("{wrong} tables differ from the log"), problems, advice),
    })
}

async fn count(session: &mut Session, what: &str) -> Result<u64, SessionError> {
    let number = session
        .value(&format!("SELECT CAST(count(*) AS text) FROM {what}"), &[])
        .await?;
    Ok(number.and_then(|n| n.parse().ok()).unwrap_or(0))
}
