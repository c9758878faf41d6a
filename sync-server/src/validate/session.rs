//! A connection for looking at tables: one way of asking both databases, every value as text.

use std::{path::Path, str::FromStr, time::Duration};

use futures_util::TryStreamExt;
use rusqlite::OpenFlags;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, postgres::PgConnectOptions};

use crate::store::Location;

/// Which SQL is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// SQLite's.
    Sqlite,
    /// PostgreSQL's.
    Postgres,
}

/// A connection of its own, apart from the store's.
pub enum Session {
    /// To a file.
    Sqlite(rusqlite::Connection),
    /// To a server.
    Postgres(Box<PgConnection>),
}

/// A row, every value as text.
pub type TextRow = Vec<Option<String>>;

/// Why a session failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The folder has no database.
    #[error("there is no Holdfast in {0}")]
    NoFile(String),
    /// SQLite says so.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL says so.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] sqlx::Error),
}

impl Session {
    /// Connects; makes and changes nothing.
    pub async fn open(location: &Location) -> Result<Self, SessionError> {
        match location {
            Location::Folder(folder) => Self::open_folder(folder),
            Location::Database(url) => Self::open_database(url).await,
        }
    }

    fn open_folder(folder: &Path) -> Result<Self, SessionError> {
        let file = folder.join("holdfast.sqlite");
        if !file.is_file() {
            return Err(SessionError::NoFile(folder.display().to_string()));
        }
        let connection = rusqlite::Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self::Sqlite(connection))
    }

    async fn open_database(url: &str) -> Result<Self, SessionError> {
        let options = PgConnectOptions::from_str(url)?.application_name("holdfast");
        let connecting = PgConnection::connect_with(&options);
        let connection = match tokio::time::timeout(Duration::from_secs(15), connecting).await {
            Ok(connection) => connection?,
            Err(_) => return Err(sqlx::Error::PoolTimedOut.into()),
        };
        let mut session = Self::Postgres(Box::new(connection));
        // Every time as UTC, every date in one form.
        for setting in [
            "SET TimeZone = 'UTC'",
            "SET DateStyle = 'ISO, YMD'",
            "SET lock_timeout = '10s'",
        ] {
            session.execute(setting, &[]).await?;
        }
        Ok(session)
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// What a query finds. It must select text alone; parameters are text too.
    pub async fn rows(&mut self, sql: &str, parameters: &[Option<String>]) -> Result<Vec<TextRow>, SessionError> {
        let mut rows = Vec::new();
        self.each(sql, parameters, |row| {
            rows.push(row);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// Gives each row that a query finds, as it comes. See [`Session::rows`].
    pub async fn each(
        &mut self,
        sql: &str,
        parameters: &[Option<String>],
        mut take: impl FnMut(TextRow) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let columns = statement.column_count();
                let mut found = statement.query(rusqlite::params_from_iter(parameters))?;
                while let Some(row) = found.next()? {
                    take((0..columns).map(|at| row.get(at)).collect::<Result<_, _>>()?)?;
                }
            }
            Self::Postgres(connection) => {
                let mut found = bound(sql, parameters).fetch(&mut **connection);
                while let Some(row) = found.try_next().await? {
                    take((0..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?)?;
                }
            }
        }
        Ok(())
    }

    /// The first value of the first row, if there is one.
    pub async fn value(&mut self, sql: &str, parameters: &[Option<String>]) -> Result<Option<String>, SessionError> {
        let rows = self.rows(sql, parameters).await?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// Runs a statement; says how many rows it touched.
    pub async fn execute(&mut self, sql: &str, parameters: &[Option<String>]) -> Result<u64, SessionError> {
        Ok(match self {
            Self::Sqlite(connection) => {
                let touched = connection
                    .prepare_cached(sql)?
                    .execute(rusqlite::params_from_iter(parameters))?;
                touched as u64
            }
            Self::Postgres(connection) => bound(sql, parameters).execute(&mut **connection).await?.rows_affected(),
        })
    }
}

type PgQuery = sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bound(sql: &str, parameters: &[Option<String>]) -> PgQuery {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    parameters
        .iter()
        .fold(query, |query, parameter| query.bind(parameter.clone()))
}

impl SessionError {
    /// What the database said, without who said it.
    pub fn message(&self) -> String {
        match self {
            Self::Postgres(sqlx::Error::Database(error)) => error.message().to_owned(),
            Self::Sqlite(rusqlite::Error::SqliteFailure(_, Some(message))) => message.clone(),
            other => other.to_string(),
        }
    }
}
