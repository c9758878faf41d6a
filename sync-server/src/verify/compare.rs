//! The fold beside the store: two streams in the order of their keys, merged.

mod cells;

use rusqlite::Connection;

use super::{
    Progress, VerifyError,
    progress::Meter,
    relation::{Meaning, Relation},
    report::{Difference, Kind, Report},
    scratch,
};
use crate::validate::session::{Dialect, Session, SessionError, TextRow};

/// How many rows are compared before the meter hears of them.
const STEP: u64 = 500;

/// Compares what the fold made with what the store holds, and reports each difference.
pub async fn compare(
    relation: &Relation,
    fold: &Connection,
    store: &mut Session,
    report: &mut Report,
    meter: &mut Meter<impl FnMut(Progress)>,
) -> Result<(), VerifyError> {
    let mut statement = fold.prepare(&relation.expected).map_err(|e| scratch(&e))?;
    let mut expected = Expected {
        rows: statement.query([]).map_err(|e| scratch(&e))?,
        columns: relation.columns.len(),
        next: None,
    };
    expected.advance()?;
    let mut compared = 0;
    let mut take = |found: TextRow| {
        compared += 1;
        if compared % STEP == 0 {
            meter.add(STEP);
        }
        while let Some(missing) = expected.next_if(|row| key(relation, row) < key(relation, &found))? {
            report_missing(relation, &missing, report);
        }
        match expected.next_if(|row| key(relation, row) == key(relation, &found))? {
            Some(row) => cells::compare(relation, &row, found, report),
            None => report.add(difference(relation, &found, Kind::Unknown)),
        }
        Ok(())
    };
    store.each(&relation.found, &[], &mut take).await?;
    while let Some(missing) = expected.next_if(|_| true)? {
        report_missing(relation, &missing, report);
    }
    report.compared(relation, compared);
    meter.add(compared % STEP);
    Ok(())
}

/// The fold's rows, of which the next is known.
struct Expected<'s> {
    rows: rusqlite::Rows<'s>,
    columns: usize,
    next: Option<TextRow>,
}

impl Expected<'_> {
    fn advance(&mut self) -> Result<(), SessionError> {
        self.next = match self.rows.next()? {
            Some(row) => Some((0..self.columns).map(|at| row.get(at)).collect::<Result<_, _>>()?),
            None => None,
        };
        Ok(())
    }

    /// Takes the next row if it is such a one.
    fn next_if(&mut self, is: impl FnOnce(&TextRow) -> bool) -> Result<Option<TextRow>, SessionError> {
        if !self.next.as_ref().is_some_and(is) {
            return Ok(None);
        }
        let row = self.next.take();
        self.advance()?;
        Ok(row)
    }
}

fn key<'r>(relation: &Relation, row: &'r TextRow) -> &'r [Option<String>] {
    &row[..relation.key]
}

fn difference(relation: &Relation, row: &TextRow, kind: Kind) -> Difference {
    Difference {
        table: relation.name.to_owned(),
        row: cells::row_name(relation, row),
        column: None,
        kind,
        log: None,
        found: None,
    }
}

fn report_missing(relation: &Relation, row: &TextRow, report: &mut Report) {
    // Raised and settled by entries that were taken in together: never written.
    let never_written =
        matches!(relation.meaning, Meaning::Conflicts) && cells::is_unsure(row) && cells::is_settled(row);
    if !never_written {
        report.add(difference(relation, row, Kind::Missing));
    }
}

/// Password hashes are in no log: `users` repeats what the server keeps apart.
pub async fn passwords(store: &mut Session, report: &mut Report) -> Result<(), SessionError> {
    let (credentials, user) = match store.dialect() {
        Dialect::Sqlite => ("sync_credentials", "user"),
        Dialect::Postgres => ("sync.credentials", "user_id"),
    };
    let sql = format!(
        "SELECT CAST(u.id AS TEXT) FROM users u LEFT JOIN {credentials} c ON c.{user} = u.id
        WHERE u.password_hash IS DISTINCT FROM coalesce(c.password_hash, '!') ORDER BY u.id"
    );
    let take = |row: TextRow| {
        report.add(Difference {
            table: "users".to_owned(),
            row: row.into_iter().flatten().collect(),
            column: Some("password_hash".to_owned()),
            kind: Kind::Different,
            log: Some(format!("what {credentials} has")),
            found: Some("another one".to_owned()),
        });
        Ok(())
    };
    store.each(&sql, &[], take).await
}
