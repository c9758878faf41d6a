//! Creates, reads, updates and deletes a row of every table, with the statements that hospitals' own programs would use, in
//! one transaction that is rolled back.

use std::collections::BTreeSet;

use holdfast_core::{
    schema::{Schema, Table, TableId},
    value::Value,
};

use super::{
    probe::Probe,
    report::Check,
    session::{Dialect, Session, SessionError, TextRow},
};

const NAME: &str = "create, read, update, delete";
const ADVICE: &str =
    "compare the database user's rights and the tables' own constraints and triggers with a fresh database";

/// What went wrong with a table.
enum Trouble {
    /// The database refused a statement.
    Refused(&'static str, SessionError),
    /// A statement did something else than it should.
    Wrong(&'static str, String),
    /// A table that it refers to went wrong.
    Behind(&'static str),
}

/// Tries all tables. Whatever happens, the transaction is rolled back, and afterwards nothing of it may be left.
pub async fn check(session: &mut Session) -> Result<Vec<Check>, SessionError> {
    let probe = Probe::new(session.dialect());
    session.execute("BEGIN", &[]).await?;
    let tried = try_all(session, &probe).await;
    session.execute("ROLLBACK", &[]).await?;
    let problems = tried?;
    let schema = Schema::hospital();
    let left = left_behind(session, &probe).await?;
    let wrong = problems.iter().map(|(table, _)| *table).collect::<BTreeSet<_>>().len();
    let problems = problems
        .into_iter()
        .map(|(table, trouble)| told(schema.by_id(table), &trouble))
        .collect();
    Ok(vec![
        Check::counted(NAME, schema.tables.len(), wrong, problems, ADVICE),
        match left.as_slice() {
            [] => Check::passed("nothing stayed", "rolled back, no row is left"),
            left => Check::failed(
                "nothing stayed",
                format!("rows are left in {}", left.join(", ")),
                Vec::new(),
                "find out which trigger writes outside its transaction",
            ),
        },
    ])
}

fn told(table: &Table, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Refused(verb, error) => format!("{}: cannot {verb}: {}", table.name, error.message()),
        Trouble::Wrong(verb, what) => format!("{}: {verb}: {what}", table.name),
        Trouble::Behind(other) => format!("{}: not tried, because it refers to {other}", table.name),
    }
}

async fn try_all(session: &mut Session, probe: &Probe) -> Result<Vec<(TableId, Trouble)>, SessionError> {
    let schema = Schema::hospital();
    let mut troubles: Vec<(TableId, Trouble)> = Vec::new();
    for id in &schema.insert_order {
        let table = schema.by_id(*id);
        let behind = table
            .columns
            .iter()
            .filter_map(|c| c.references)
            .find(|to| troubles.iter().any(|(t, _)| t == to));
        let tried = match behind {
            Some(to) => Err(Trouble::Behind(schema.by_id(to).name)),
            None => within_savepoint(session, probe, table, Part::CreateReadUpdate).await?,
        };
        troubles.extend(tried.err().map(|trouble| (*id, trouble)));
    }
    for id in schema.insert_order.iter().rev() {
        if troubles.iter().all(|(table, _)| table != id) {
            let tried = within_savepoint(session, probe, schema.by_id(*id), Part::Delete).await?;
            troubles.extend(tried.err().map(|trouble| (*id, trouble)));
        }
    }
    Ok(troubles)
}

#[derive(Clone, Copy)]
enum Part {
    CreateReadUpdate,
    Delete,
}

/// A refused statement spoils PostgreSQL's transaction back to the last savepoint.
async fn within_savepoint(
    session: &mut Session,
    probe: &Probe,
    table: &'static Table,
    part: Part,
) -> Result<Result<(), Trouble>, SessionError> {
    session.execute("SAVEPOINT probe", &[]).await?;
    let tried = match part {
        Part::CreateReadUpdate => create_read_update(session, probe, table).await,
        Part::Delete => delete(session, probe, table).await,
    };
    let end = if tried.is_ok() {
        "RELEASE SAVEPOINT probe"
    } else {
        "ROLLBACK TO SAVEPOINT probe"
    };
    session.execute(end, &[]).await?;
    Ok(tried)
}

async fn create_read_update(session: &mut Session, probe: &Probe, table: &'static Table) -> Result<(), Trouble> {
    let refused = |verb| move |error| Trouble::Refused(verb, error);
    let row = probe.row(table);
    let created = session
        .execute(&probe.insert(table), &row)
        .await
        .map_err(refused("create"))?;
    expect_one("create", created)?;
    read_back(session, probe, table, &row).await?;
    let change = probe.change(table);
    let mut parameters: TextRow = change.iter().map(|(_, value)| Some(value.clone())).collect();
    parameters.extend(probe.key(table));
    let statement = probe.update(table, change.as_ref().map(|(column, _)| *column));
    let updated = session
        .execute(&statement, &parameters)
        .await
        .map_err(refused("update"))?;
    expect_one("update", updated)?;
    let mut expected = row;
    if let Some((column, value)) = change {
        expected[usize::from(column.id.0)] = Some(value);
    }
    read_back(session, probe, table, &expected).await
}

async fn read_back(
    session: &mut Session,
    probe: &Probe,
    table: &'static Table,
    expected: &TextRow,
) -> Result<(), Trouble> {
    let found = session.rows(&probe.select(table), &probe.key(table)).await;
    let found = found.map_err(|error| Trouble::Refused("read", error))?;
    let [found] = found.as_slice() else {
        return Err(Trouble::Wrong(
            "read",
            format!("{} rows where one was written", found.len()),
        ));
    };
    for ((column, found), expected) in table.columns.iter().zip(found).zip(expected) {
        let value = |text: &Option<String>| text.as_ref().map(|text| Value::from_sql_text(column, text));
        if value(found) != value(expected) {
            let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".into());
            let what = format!(
                "{} is {} where {} was written",
                column.name,
                shown(found),
                shown(expected)
            );
            return Err(Trouble::Wrong("read", what));
        }
    }
    Ok(())
}

async fn delete(session: &mut Session, probe: &Probe, table: &'static Table) -> Result<(), Trouble> {
    let deleted = session.execute(&probe.delete(table), &probe.key(table)).await;
    expect_one("delete", deleted.map_err(|error| Trouble::Refused("delete", error))?)?;
    let left = session.rows(&probe.select(table), &probe.key(table)).await;
    match left.map_err(|error| Trouble::Refused("read", error))?.len() {
        0 => Ok(()),
        _ => Err(Trouble::Wrong("delete", "the row is still there".into())),
    }
}

fn expect_one(verb: &'static str, touched: u64) -> Result<(), Trouble> {
    match touched {
        1 => Ok(()),
        other => Err(Trouble::Wrong(verb, format!("{other} rows where one was meant"))),
    }
}

/// Tables that still have their made-up row.
async fn left_behind(session: &mut Session, probe: &Probe) -> Result<Vec<&'static str>, SessionError> {
    let mut left = Vec::new();
    for table in &Schema::hospital().tables {
        if let Ok(rows) = session.rows(&probe.select(table), &probe.key(table)).await
            && !rows.is_empty()
        {
            left.push(table.name);
        }
    }
    // A SQLite connection that failed in between is inside no transaction now.
    debug_assert!(session.dialect() == Dialect::Postgres || matches!(session, Session::Sqlite(c) if c.is_autocommit()));
    Ok(left)
}
