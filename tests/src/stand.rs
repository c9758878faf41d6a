//! A store under test: on SQLite in a temporary folder, or on PostgreSQL in a database of its own.

use std::sync::atomic::{AtomicI64, Ordering};

use holdfast_core::{
    ids::{Seq, Timestamp},
    protocol::PushOutcome,
    row::RowWrite,
};
use holdfast_server::{
    store::{Location, Store, Submission},
    verify::{self, Report},
};
use tempfile::TempDir;

use crate::{
    contents::{Compared, Contents},
    maker::{Maker, NOON},
    postgres::Database,
};

/// A store and what is gone with it.
pub struct Stand {
    /// The store. Declared first: it is closed before its place is gone.
    pub store: Store,
    place: Place,
    accepted: AtomicI64,
}

enum Place {
    Folder(TempDir),
    Database(Box<Database>),
}

impl Stand {
    /// On SQLite.
    pub async fn sqlite() -> Self {
        Self::at(Place::Folder(crate::folder::temporary())).await
    }

    /// On PostgreSQL.
    pub async fn postgres() -> Self {
        Self::at(Place::Database(Box::new(Database::create()))).await
    }

    async fn at(place: Place) -> Self {
        let store = Store::open(&place.location()).await.expect("a new store opens");
        Self {
            store,
            place,
            accepted: AtomicI64::new(0),
        }
    }

    /// Closes the store and opens it again, as a restart does.
    pub async fn reopen(&mut self) {
        self.store = Store::open(&self.place.location())
            .await
            .expect("the store opens again");
    }

    /// `SQLite` or `PostgreSQL`.
    pub fn name(&self) -> &'static str {
        match self.place {
            Place::Folder(_) => "SQLite",
            Place::Database(_) => "PostgreSQL",
        }
    }

    /// Where it is.
    pub fn location(&self) -> Location {
        self.place.location()
    }

    /// Makes a device known, as a sign-in on it does.
    pub async fn register(&self, maker: &Maker) {
        let identity = maker.identity();
        let key = identity.key.verifying_key().to_bytes();
        let registered = self.store.register_device(key, "a device", identity.user, NOON).await;
        registered.expect("the store registers a device");
    }

    /// Holds the store against its log.
    pub async fn verify(&self) -> Report {
        let options = verify::Options {
            limit: 100,
            scratch: None,
        };
        let report = verify::verify(&self.location(), &options, |_| ()).await;
        report.expect("the store can be verified")
    }

    /// Changes the database behind the store's back. `sync.` stands for the engine's tables in both.
    pub async fn tamper(&self, sql: &str) {
        match &self.place {
            Place::Folder(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("holdfast.sqlite"));
                let done = connection.and_then(|c| c.execute_batch(&sql.replace("sync.", "sync_")));
                done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
            Place::Database(database) => {
                use sqlx::Connection as _;
                let mut connection = sqlx::PgConnection::connect(&database.url())
                    .await
                    .expect("PostgreSQL answers");
                let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await;
                done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
        }
    }

    /// Takes transactions in. Each time is a millisecond after the last.
    pub async fn accept(&self, submissions: Vec<Submission>) -> Vec<PushOutcome> {
        let clock = self.accepted.fetch_add(1, Ordering::Relaxed);
        self.store
            .accept(submissions, Timestamp(NOON.0 + clock * 1_000))
            .await
            .expect("the store takes transactions")
    }

    /// Takes one in, which must go well.
    pub async fn take(&self, submission: Submission) -> Seq {
        match self.accept(vec![submission]).await.as_slice() {
            [PushOutcome::Accepted { seq, .. }] => *seq,
            other => panic!("{}: not accepted: {other:?}", self.name()),
        }
    }

    /// Makes a transaction on what is here now and takes it in.
    pub async fn write(&self, maker: &mut Maker, writes: &[RowWrite]) -> Seq {
        let submission = maker.make(&self.store, writes).await;
        self.take(submission).await
    }

    /// Gives a transaction that must be refused; returns code and reason.
    pub async fn refusal(&self, submission: Submission) -> (String, String) {
        match self.accept(vec![submission]).await.as_slice() {
            [PushOutcome::Rejected { code, reason, .. }] => (code.clone(), reason.clone()),
            other => panic!("{}: not refused: {other:?}", self.name()),
        }
    }

    /// What its tables hold.
    pub async fn contents(&self, compared: Compared) -> Contents {
        match &self.place {
            Place::Folder(folder) => Contents::of_sqlite(&folder.path().join("holdfast.sqlite"), compared),
            Place::Database(database) => Contents::of_postgres(&database.url(), compared).await,
        }
    }

    /// The first column of a query's rows, as text. Both databases understand it.
    pub async fn texts(&self, sql: &str) -> Vec<Option<String>> {
        match &self.place {
            Place::Folder(folder) => sqlite_texts(folder, sql),
            Place::Database(database) => postgres_texts(&database.url(), sql).await,
        }
    }

    /// The one value of a query.
    pub async fn text(&self, sql: &str) -> Option<String> {
        let found = self.texts(sql).await;
        match found.as_slice() {
            [one] => one.clone(),
            other => panic!("{}: {sql} gives {} rows", self.name(), other.len()),
        }
    }

    /// Open conflicts: kind, table, column, number of sides.
    pub async fn conflicts(&self) -> Vec<String> {
        let sql = match &self.place {
            Place::Folder(_) => {
                "SELECT kind || ' ' || tbl || '.' || coalesce(col, '*') || ' ' || json_array_length(sides)
                 FROM sync_conflicts WHERE settled_at IS NULL ORDER BY 1"
            }
            Place::Database(_) => {
                r#"SELECT kind || ' ' || "table" || '.' || coalesce("column", '*') || ' ' || jsonb_array_length(sides)
                 FROM sync.conflicts WHERE settled_at IS NULL ORDER BY 1"#
            }
        };
        self.texts(sql).await.into_iter().flatten().collect()
    }

    /// Every place of the stream, in order.
    pub async fn seqs(&self) -> Vec<u64> {
        let mut seqs = Vec::new();
        let mut after = Seq(0);
        loop {
            let page = self
                .store
                .pull(after, 100, 1 << 20)
                .await
                .expect("the stream can be read");
            let Some(last) = page.entries.last() else { return seqs };
            after = last.seq;
            seqs.extend(page.entries.iter().map(|entry| entry.seq.0));
        }
    }
}

impl Place {
    fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::Folder(folder.path().to_owned()),
            Self::Database(database) => Location::Database(database.url()),
        }
    }
}

/// Some minutes after noon.
pub fn minutes(minutes: i64) -> Timestamp {
    Timestamp(NOON.0 + minutes * 60_000_000)
}

fn sqlite_texts(folder: &TempDir, sql: &str) -> Vec<Option<String>> {
    let connection = rusqlite::Connection::open(folder.path().join("holdfast.sqlite")).expect("the file opens");
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let texts = statement.query_map([], |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Null => None,
            rusqlite::types::ValueRef::Integer(i) => Some(i.to_string()),
            other => Some(other.as_str()?.to_owned()),
        })
    });
    texts
        .and_then(Iterator::collect)
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn postgres_texts(url: &str, sql: &str) -> Vec<Option<String>> {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(url).await.expect("PostgreSQL answers");
    let sql = format!("SELECT q.c::text FROM ({sql}) AS q (c)");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.as_str()))
        .fetch_all(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}
