//! A PostgreSQL database or a folder for one test, gone when dropped.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

pub mod old_hospital;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use holdfast_server::store::Location;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

const VARIABLE: &str = "HOLDFAST_TEST_POSTGRES";

static COUNT: AtomicU32 = AtomicU32::new(0);

fn unique(prefix: &str) -> String {
    format!(
        "{prefix}_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A database of its own.
pub struct Database {
    cluster: PgConnectOptions,
    name: String,
}

impl Database {
    pub fn create() -> Self {
        let url = std::env::var(VARIABLE).unwrap_or_else(|_| {
            panic!("{VARIABLE} is not set: run `cargo xtask test`, or set it to the superuser's URL of a throw-away cluster")
        });
        let cluster: PgConnectOptions = url.parse().unwrap();
        let name = unique("holdfast_server_test");
        run(&cluster, &format!("CREATE DATABASE {name}"));
        Self { cluster, name }
    }

    pub fn url(&self) -> String {
        self.cluster.clone().database(&self.name).to_url_lossy().to_string()
    }

    pub fn location(&self) -> Location {
        Location::Database(self.url())
    }

    /// Runs statements.
    pub fn run(&self, sql: &str) {
        run(&self.cluster.clone().database(&self.name), sql);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(
            &self.cluster,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
    }
}

/// A folder of its own.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn create() -> Self {
        let path = std::env::temp_dir().join(unique("holdfast_server_test"));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn location(&self) -> Location {
        Location::Folder(self.0.clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// On a thread of its own, because a test may be inside a runtime already.
fn run(options: &PgConnectOptions, sql: &str) {
    let work = || {
        block_on(async {
            let mut connection = PgConnection::connect_with(options).await?;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                .execute(&mut connection)
                .await?;
            connection.close().await
        })
    };
    let done: Result<(), sqlx::Error> = std::thread::scope(|scope| scope.spawn(work).join()).unwrap();
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Runs a future to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
