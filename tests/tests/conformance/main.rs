//! What every server's store does, whatever the database: each test runs on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test's panic is its report")]

mod accounts;
mod claims;
mod deletes;
mod made_again;
mod pages;
mod random;
mod rows;
mod stream;
mod verify;
mod waiting;

/// Runs each function on a new store of each kind.
macro_rules! on_both_stores {
    ($($contract:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $contract() {
                super::$contract(holdfast_tests::stand::Stand::sqlite().await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $contract() {
                super::$contract(holdfast_tests::stand::Stand::postgres().await).await;
            })*
        }
    };
}
use on_both_stores;
