//! A server that ends, or hangs, in the middle of a commit holds up nobody for long.

use std::time::{Duration, Instant};

use holdfast_core::ids::Seq;
use holdfast_tests::maker::Maker;
use sqlx::Row;

use super::{Stand, beside, department, postgres, take};

/// How long the others may wait for a lock whose holder is gone.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_server_that_hangs_in_the_middle_of_a_commit_is_cut_off() {
    let stand = Stand::postgres().await;
    let there = beside(&stand).await;
    let mut hanging = postgres(&there).pool().begin().await.unwrap();
    // As long as in earnest would be long for a test.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = '1s'")
        .execute(&mut *hanging)
        .await
        .unwrap();
    sqlx::query("UPDATE sync.head SET seq = 77")
        .execute(&mut *hanging)
        .await
        .unwrap();

    let submission = Maker::new(1).make(&stand.store, &[department(1)]).await;
    let begun = Instant::now();
    let place = tokio::time::timeout(PATIENCE, take(&stand.store, submission)).await;
    assert_eq!(place.expect("the lock is let go"), Seq(1), "what hung is rolled back");
    assert!(begun.elapsed() >= Duration::from_millis(500), "the lock was held");
    assert!(hanging.commit().await.is_err());
    // The server itself goes on with another connection.
    assert_eq!(there.head().await.unwrap(), Seq(1));
}

#[tokio::test]
async fn every_connection_is_one_that_the_database_gives_up_on() {
    let stand = Stand::postgres().await;
    for (name, value) in [
        ("idle_in_transaction_session_timeout", "30s"),
        ("tcp_user_timeout", "30000"),
        ("tcp_keepalives_idle", "30"),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("SHOW {name}"));
        let found = sqlx::query(sql).fetch_one(postgres(&stand.store).pool()).await.unwrap();
        let found: String = found.get(0);
        // Connections within a machine have no TCP.
        assert!(found == value || found == "0", "{name} is {found}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_a_commit_leaves_no_lock_and_no_trace() {
    let stand = Stand::postgres().await;
    let there = beside(&stand).await;
    let mut dying = postgres(&there).pool().acquire().await.unwrap().detach();
    sqlx::raw_sql("BEGIN; UPDATE sync.head SET seq = 77; NOTIFY holdfast_head, '77'")
        .execute(&mut dying)
        .await
        .unwrap();
    // Without a goodbye, as a killed process goes.
    drop(dying);
    let submission = Maker::new(1).make(&stand.store, &[department(1)]).await;
    let place = tokio::time::timeout(PATIENCE, take(&stand.store, submission)).await;
    assert_eq!(place.expect("the lock is let go"), Seq(1));
}
