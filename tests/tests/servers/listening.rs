//! What one server wrote, the other tells its devices at once.

use std::time::{Duration, Instant};

use holdfast_core::ids::Seq;
use holdfast_server::store::postgres;
use holdfast_tests::maker::Maker;

use super::{Stand, beside, department, postgres as of, take};

/// Far below the 15 seconds after which a server looks by itself.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Listens at this server, and has been told where the stream ends now.
async fn listening(store: &holdfast_server::store::Store) -> postgres::Heads {
    let mut heads = of(store).heads();
    let head = store.head().await.unwrap();
    assert_eq!(heads.next(Seq(0)).await.unwrap(), head);
    heads
}

/// Waits until the listener tells of this place.
async fn hears(heads: &mut postgres::Heads, known: Seq, place: Seq) -> Duration {
    let begun = Instant::now();
    let hearing = async { while heads.next(known).await.unwrap_or_default() < place {} };
    tokio::time::timeout(AT_ONCE, hearing)
        .await
        .unwrap_or_else(|_| panic!("nothing was heard of {place} within {AT_ONCE:?}"));
    begun.elapsed()
}

async fn cut_listeners(stand: &Stand) {
    let cut = stand
        .texts(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'holdfast listener'",
        )
        .await;
    assert_eq!(cut, [Some("true".to_owned())], "one connection listens");
}

#[tokio::test]
async fn what_one_server_commits_the_other_hears_at_once() {
    let stand = Stand::postgres().await;
    let there = beside(&stand).await;
    let mut heads = listening(&there).await;
    let mut maker = Maker::new(1);
    let mut slowest = Duration::ZERO;
    for n in 1..=20 {
        let submission = maker.make(&stand.store, &[department(n)]).await;
        let place = take(&stand.store, submission).await;
        slowest = slowest.max(hears(&mut heads, Seq(place.0 - 1), place).await);
    }
    println!("20 pokes crossed, the slowest in {slowest:?}");
}

#[tokio::test]
async fn a_listener_whose_connection_is_cut_listens_anew_and_misses_nothing() {
    let stand = Stand::postgres().await;
    let there = beside(&stand).await;
    let mut heads = listening(&there).await;
    let mut maker = Maker::new(1);
    for n in 1..=3 {
        cut_listeners(&stand).await;
        // It comes while nobody listens, and the next one when somebody does again.
        let submission = maker.make(&stand.store, &[department(2 * n)]).await;
        let place = take(&stand.store, submission).await;
        hears(&mut heads, Seq(place.0 - 1), place).await;
        let submission = maker.make(&stand.store, &[department(2 * n + 1)]).await;
        let place = take(&stand.store, submission).await;
        hears(&mut heads, Seq(place.0 - 1), place).await;
    }
}

#[tokio::test]
async fn what_others_notify_is_not_believed() {
    let stand = Stand::postgres().await;
    let there = beside(&stand).await;
    let mut heads = listening(&there).await;
    for lie in ["999999999", "-1", "head", ""] {
        stand.tamper(&format!("NOTIFY holdfast_head, '{lie}'")).await;
        let told = tokio::time::timeout(AT_ONCE, heads.next(Seq(0))).await.unwrap();
        assert_eq!(told.unwrap(), Seq(0), "{lie}");
    }
    let submission = Maker::new(1).make(&stand.store, &[department(1)]).await;
    let place = take(&stand.store, submission).await;
    hears(&mut heads, Seq(0), place).await;
}

#[tokio::test]
async fn what_is_rolled_back_is_not_told() {
    let stand = Stand::postgres().await;
    let there = beside(&stand).await;
    let mut heads = listening(&there).await;
    let mut refused = Maker::new(1);
    refused.role = holdfast_core::policy::Role::Auditor;
    let submission = refused.make(&stand.store, &[department(1)]).await;
    stand.refusal(submission).await;
    let told = tokio::time::timeout(Duration::from_millis(500), heads.next(Seq(0))).await;
    assert!(told.is_err(), "nothing moved: {told:?}");
}
