//! Several servers on one PostgreSQL database: one hospital, one stream.
#![expect(clippy::unwrap_used, reason = "a test's panic is its report")]

mod claims;
mod listening;
mod lock;
mod start;

use holdfast_core::{
    ids::{RowId, Seq, Timestamp},
    protocol::PushOutcome,
    row::RowWrite,
};
use holdfast_server::store::{PostgresStore, Store, Submission};
use holdfast_tests::{maker::NOON, stand::Stand, writes::create};
use serde_json::json;

/// A second server's store on the same database.
async fn beside(stand: &Stand) -> Store {
    Store::open(&stand.location()).await.unwrap()
}

/// What only PostgreSQL has.
fn postgres(store: &Store) -> &PostgresStore {
    match store {
        Store::Postgres(store) => store,
        Store::Sqlite(_) => panic!("these tests are about PostgreSQL"),
    }
}

fn row(n: u128) -> RowId {
    RowId(uuid::Uuid::from_u128(n))
}

fn department(n: u128) -> RowWrite {
    create("departments", row(n), &json!({ "name": format!("Ward {n}") }))
}

/// Takes one transaction in at this server, which must go well.
async fn take(store: &Store, submission: Submission) -> Seq {
    match store.accept(vec![submission], NOON).await.unwrap().as_slice() {
        [PushOutcome::Accepted { seq, .. }] => *seq,
        other => panic!("not accepted: {other:?}"),
    }
}

/// Some milliseconds after noon.
fn later(milliseconds: i64) -> Timestamp {
    Timestamp(NOON.0 + milliseconds * 1_000)
}
