//! Fills a store beside its server: through the same ingest and the same tables as a push, without HTTP, and without
//! verifying signatures.

use std::time::{Duration, Instant};

use holdfast_core::{policy::Role, protocol::PushOutcome, row::RowWrite};
use holdfast_server::store::{Store, Submission, now};

use super::{rows::Made, sender::Signer};
use crate::{postgres::block_on, server::Server};

/// As many as go into one database transaction of the server's.
const BATCH: usize = 2_000;

/// How often it says how far it is.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Writes all these rows, each a transaction. Returns which they are.
pub fn load(server: &Server, rows: impl Iterator<Item = (Made, RowWrite)>) -> Vec<Made> {
    let signer = Signer::on_new_device();
    let mut rows = rows.peekable();
    let mut all = Vec::new();
    block_on(async {
        let store = Store::open(&server.location()).await.expect("the store opens");
        let mut said = Instant::now();
        while rows.peek().is_some() {
            let (made, writes): (Vec<Made>, Vec<RowWrite>) = rows.by_ref().take(BATCH).unzip();
            all.extend(made);
            accept(&store, &signer, &writes).await;
            if said.elapsed() >= SIGN_OF_LIFE {
                eprintln!("  {} rows are loaded", all.len());
                said = Instant::now();
            }
        }
        close(store).await;
    });
    all
}

async fn accept(store: &Store, signer: &Signer, writes: &[RowWrite]) {
    let submission = |write: &RowWrite| {
        let (transaction, opened) = signer.create(std::slice::from_ref(write));
        Submission {
            transaction,
            opened,
            role: Role::Admin,
            import: false,
            objection: None,
        }
    };
    let outcomes = store.accept(writes.iter().map(submission).collect(), now()).await;
    let outcomes = outcomes.expect("the store takes rows");
    let taken = |outcome: &PushOutcome| matches!(outcome, PushOutcome::Accepted { .. });
    let refused = outcomes.iter().find(|outcome| !taken(outcome));
    assert!(refused.is_none(), "not accepted: {refused:?}");
}

/// Lets go of the database.
pub async fn close(store: Store) {
    if let Store::Postgres(store) = &store {
        store.pool().close().await;
    }
}
