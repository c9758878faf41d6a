//! A PostgreSQL database of one test's own.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Dropped with all that is in it.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    pub async fn create() -> Self {
        let server = std::env::var("HOLDFAST_TEST_POSTGRES").expect(
            "HOLDFAST_TEST_POSTGRES is not set: run the tests with `cargo xtask test`, or set it to the address of a \
             throw-away PostgreSQL cluster's superuser (postgres://…)",
        );
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("http_{}_{time}_{count}", std::process::id());
        let database = Self { server, name };
        database.run(format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    /// Its address.
    pub fn url(&self) -> String {
        let (server, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let authority = server.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let mark = if options.is_empty() { "" } else { "?" };
        format!("{authority}/{}{mark}{options}", self.name)
    }

    pub async fn drop_it(&self) {
        self.run(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    async fn run(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.server)
            .await
            .expect("HOLDFAST_TEST_POSTGRES names a server that does not answer");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    }
}
