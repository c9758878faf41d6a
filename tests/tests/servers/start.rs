//! Servers that start at the same time.

use holdfast_server::store::{Location, Store};
use holdfast_tests::{maker::Maker, postgres::Database};

use super::{Stand, beside, department, take};

/// More than two, so that some wait while one migrates.
const SERVERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_on_an_empty_database_make_one_hospital() {
    let database = Database::create();
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..SERVERS {
        let location = Location::Database(database.url());
        starting.spawn(async move { Store::open(&location).await.unwrap() });
    }
    let stores = starting.join_all().await;
    let (mut hospitals, mut keys) = (Vec::new(), Vec::new());
    for store in &stores {
        assert!(store.is_ready().await.unwrap());
        hospitals.push(store.hospital_id().await.unwrap());
        keys.push(store.server_key().await.unwrap().to_bytes());
        assert_eq!(
            store.devices().await.unwrap().len(),
            1,
            "the server's own device is there once"
        );
    }
    hospitals.dedup();
    keys.dedup();
    assert_eq!((hospitals.len(), keys.len()), (1, 1));
    for (n, store) in (1..).zip(&stores) {
        let submission = Maker::new(n).make(store, &[department(u128::from(n))]).await;
        assert_eq!(take(store, submission).await.0, n);
    }
    for store in &stores {
        super::postgres(store).pool().close().await;
    }
}

#[tokio::test]
async fn what_one_server_is_told_the_other_knows_at_once() {
    let stand = Stand::postgres().await;
    let (here, there) = (&stand.store, beside(&stand).await);
    let mut maker = Maker::new(1);
    stand.register(&maker).await;
    let device = maker.identity().device();
    assert!(there.device(device).await.unwrap().unwrap().revoked_at.is_none());
    assert!(there.revoke_device(device, super::later(1)).await.unwrap());
    assert!(here.device(device).await.unwrap().unwrap().revoked_at.is_some());

    let submission = maker.make(here, &[department(1)]).await;
    let seq = take(here, submission.clone()).await;
    assert_eq!(take(&there, submission).await, seq, "a push that is repeated elsewhere");
    assert_eq!(there.head().await.unwrap(), seq);
}
