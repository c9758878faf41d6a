//! A PostgreSQL database for one test, gone when dropped.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// Where `cargo xtask test` says that its throw-away cluster is.
pub(crate) const VARIABLE: &str = "HOLDFAST_TEST_POSTGRES";

/// A database of its own.
#[derive(Debug)]
pub struct Database {
    cluster: PgConnectOptions,
    name: String,
}

impl Database {
    /// Makes a database.
    pub fn create() -> Self {
        Self::create_in(cluster())
    }

    /// Makes a database in a cluster of the caller's choice.
    pub fn create_in(cluster: PgConnectOptions) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("holdfast_test_{}_{count}", std::process::id());
        let sql = format!("CREATE DATABASE {name}");
        execute(&cluster, &sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        Self { cluster, name }
    }

    /// How to connect to it.
    pub fn url(&self) -> String {
        self.cluster.clone().database(&self.name).to_url_lossy().to_string()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A cluster that a test has stopped is thrown away as a whole.
        if let Err(error) = execute(&self.cluster, &sql) {
            eprintln!("{sql}: {error}");
        }
    }
}

/// The cluster of this test run.
pub fn cluster() -> PgConnectOptions {
    let url = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set. These tests need a PostgreSQL cluster that may be thrown away: run `cargo xtask \
             test`, which makes one, or set it to a superuser's URL, such as postgres://postgres@127.0.0.1:5433/postgres"
        )
    });
    url.parse()
        .unwrap_or_else(|error| panic!("{VARIABLE} is no PostgreSQL URL: {error}"))
}

/// How to reach the cluster of this test run by its socket, which has nothing to do with networks. An error says why there is
/// no such way.
pub(crate) fn url_of_socket() -> Result<String, String> {
    if std::env::var_os(VARIABLE).is_none() {
        return Err(format!("{VARIABLE} is not set"));
    }
    let asked = async || -> Result<String, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&cluster()).await?;
        let folders = sqlx::query_scalar("SHOW unix_socket_directories");
        folders.fetch_one(&mut connection).await
    };
    let folders = block_on(asked()).map_err(|error| error.to_string())?;
    let folder = folders.split(',').next().map(str::trim).unwrap_or_default();
    let options = cluster().socket(folder);
    let reach = async || PgConnection::connect_with(&options).await?.close().await;
    let reached = block_on(reach());
    reached.map_err(|error| format!("PostgreSQL is not reached by a socket in '{folder}': {error}"))?;
    Ok(options.to_url_lossy().to_string())
}

/// Runs one statement. On a thread of its own, because a test may be inside a runtime already.
fn execute(cluster: &PgConnectOptions, sql: &str) -> Result<(), sqlx::Error> {
    let run = async || -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect_with(cluster).await?;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await
    };
    let done = std::thread::scope(|scope| scope.spawn(|| block_on(run())).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs a future to its end on this thread, which must not be inside a runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime of this thread")
        .block_on(future)
}
