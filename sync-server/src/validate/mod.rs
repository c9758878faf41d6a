//! The deployment check: is everything there that Holdfast needs, and can it be written to? Changes nothing.
//!
//! ```text
//! connection ► format, engine's tables ► tables, columns, keys ► create, read, update, delete, rolled back ► rows
//! ```

mod compare;
mod crud;
pub(crate) mod engine;
pub mod found;
mod probe;
mod report;
pub mod session;

pub use report::{Check, Outcome, Report};

use holdfast_core::schema::Schema;

use crate::store::Location;
use engine::Presence;
use session::{Dialect, Session, SessionError};

/// Checks a database. Never fails: what cannot be looked at is a check that failed.
pub async fn validate(location: &Location) -> Report {
    let mut report = Report::default();
    let mut session = match connect(location).await {
        Ok((session, check)) => {
            report.checks.push(check);
            session
        }
        Err(error) => {
            report.checks.push(unreachable(&error));
            return report;
        }
    };
    if let Err(error) = look(&mut session, &mut report).await {
        let advice = "see that the connection lasts and that the user may read the catalogs, then run this again";
        report.checks.push(Check::failed(
            "check",
            format!("broke off: {}", error.message()),
            Vec::new(),
            advice,
        ));
    }
    report
}

fn unreachable(error: &SessionError) -> Check {
    let advice = match error {
        SessionError::NoFile(_) => "`sync-server serve`, `demo` or `import` with this folder makes one",
        SessionError::Sqlite(_) => "see that the file is a database and that this user may write to it",
        SessionError::Postgres(_) => {
            "see that the server runs, and that address, database, user and password are right"
        }
    };
    Check::failed("connection", error.to_string(), Vec::new(), advice)
}

async fn connect(location: &Location) -> Result<(Session, Check), SessionError> {
    let mut session = Session::open(location).await?;
    let found = match session.dialect() {
        Dialect::Sqlite => session.value("SELECT 'SQLite ' || sqlite_version()", &[]).await?,
        Dialect::Postgres => {
            session.execute("SET search_path TO public", &[]).await?;
            let sql = "SELECT 'PostgreSQL ' || current_setting('server_version') || ', database ' || current_database()
                || ' in ' || current_setting('server_encoding')";
            session.value(sql, &[]).await?
        }
    };
    let check = Check::passed("connection", found.unwrap_or_default());
    Ok((session, check))
}

async fn look(session: &mut Session, report: &mut Report) -> Result<(), SessionError> {
    let found = found::read(session).await?;
    let tables = Schema::hospital()
        .tables
        .iter()
        .filter(|table| found.contains_key(table.name))
        .count();
    let has_engine = match engine::check(session, &found).await? {
        Presence::Present(checks) => {
            report.checks.extend(checks);
            true
        }
        Presence::Absent => {
            report.checks.push(no_holdfast(tables));
            false
        }
    };
    if tables == 0 && !has_engine {
        report.checks.extend(compare::extra_tables(&found));
        return Ok(());
    }
    let structure = compare::compare(&found, session.dialect());
    let complete = structure
        .iter()
        .all(|check| check.outcome == Outcome::Passed || check.name.ends_with("keys"));
    report.checks.extend(structure);
    if complete {
        report.checks.extend(crud::check(session).await?);
        if has_engine {
            report.checks.push(engine::count_rows(session).await?);
        }
    } else {
        report.checks.push(Check::skipped(
            "create, read, update, delete",
            "not tried: tables or columns are not as they should be",
        ));
    }
    report.checks.extend(compare::extra_tables(&found));
    Ok(())
}

fn no_holdfast(tables: usize) -> Check {
    let (found, advice) = match tables {
        0 => (
            "there is no Holdfast in this database yet".to_owned(),
            "`sync-server serve`, `demo` or `import` with this database makes it",
        ),
        some => (
            format!("there is no Holdfast in this database yet, but {some} of a hospital's 33 tables"),
            "take them over into an empty database with `sync-server import --from` this one",
        ),
    };
    Check::failed("format", found, Vec::new(), advice)
}
