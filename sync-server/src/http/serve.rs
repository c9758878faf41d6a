//! A running server: listening, watching the stream, and going down in good order.

use std::{future::Future, path::PathBuf, time::Duration};

use holdfast_core::ids::Seq;
use tokio::{net::TcpListener, sync::watch};

use super::{Shared, router};
use crate::{
    committer::{Committer, advance},
    store::{Store, StoreError},
};

/// How often the server looks whether somebody else (a second server, the command line) moved the stream.
const LOOK: Duration = Duration::from_secs(1);

/// How long requests may take to end once the server goes down.
const LAST_CALL: Duration = Duration::from_secs(20);

/// What a server needs.
pub struct Server {
    /// The store.
    pub store: Store,
    /// The folder of the built ward app.
    pub app: Option<PathBuf>,
}

/// Why a server ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network failed.
    #[error("the server cannot go on listening: {0}")]
    Network(#[from] std::io::Error),
}

/// Serves until `stop` is ready. Then it stops accepting, closes the live channels, finishes what is under way and writes
/// what is queued.
pub async fn serve(
    server: Server,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (head, heads) = watch::channel(server.store.head().await?);
    let hospital = server.store.hospital_id().await?;
    let (close, closing) = watch::channel(false);
    let (committer, writing) = Committer::start(server.store.clone(), head.clone());
    let watching = tokio::spawn(watch_stream(server.store.clone(), head));
    let shared = Shared::new(server.store, hospital, committer, heads, closing.clone());
    let router = router(shared, server.app);
    let begin_closing = async move {
        stop.await;
        close.send_replace(true);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(begin_closing);
    tokio::select! {
        ended = serving => ended?,
        () = overdue(closing) => tracing::warn!("requests are still under way; going down all the same"),
    }
    watching.abort();
    // The queue ends with the last request; what is in it is written first.
    if tokio::time::timeout(LAST_CALL, writing).await.is_err() {
        tracing::warn!("a push is still under way; its device sends it again");
    }
    Ok(())
}

async fn overdue(mut closing: watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(LAST_CALL).await;
}

async fn watch_stream(store: Store, head: watch::Sender<Seq>) {
    loop {
        tokio::time::sleep(LOOK).await;
        match store.head().await {
            Ok(newest) => advance(&head, newest),
            Err(error) => tracing::warn!(%error, "the stream's end cannot be read"),
        }
    }
}
