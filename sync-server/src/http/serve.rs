//! A running server: listening, watching the stream, and going down in good order.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use holdfast_core::ids::Seq;
use tokio::{net::TcpListener, sync::watch};

use super::{Limits, Shared, connections, router};
use crate::{
    committer::{Committer, advance},
    store::{Store, StoreError},
    upstream::{self, Link},
};

/// How long the server waits before it asks again where the stream ends, after the database did not say.
const AGAIN: Duration = Duration::from_secs(1);

/// How long requests may take to end once the server goes down.
const LAST_CALL: Duration = Duration::from_secs(20);

/// What a server needs.
pub struct Server {
    /// The store.
    pub store: Store,
    /// The folder of the built ward app.
    pub app: Option<PathBuf>,
    /// How much clients may take at once.
    pub limits: Limits,
    /// On a ward's hub: its link to the hospital's server.
    pub link: Option<Arc<Link>>,
}

/// Serves until `stop` is ready. Then it stops accepting, closes the live channels, finishes what is under way and writes
/// what is queued.
pub async fn serve(
    server: Server,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StoreError> {
    server.store.sync_apart().await?;
    let (head, heads) = watch::channel(server.store.head().await?);
    let hospital = server.store.hospital_id().await?;
    let (close, closing) = watch::channel(false);
    let link = server.link;
    let (committer, writing) = Committer::start(server.store.clone(), link.clone(), server.limits.pushes, head.clone());
    let talking = link.clone().map(|link| tokio::spawn(upstream::run(link, head.clone())));
    let watching = tokio::spawn(watch_stream(server.store.clone(), head));
    let shared = Shared::new(
        server.store,
        server.limits,
        link,
        hospital,
        committer,
        heads,
        closing.clone(),
    );
    let router = router(shared, server.app);
    let begin_closing = async move {
        stop.await;
        close.send_replace(true);
    };
    let serving = connections::serve(listener, router, server.limits, begin_closing);
    tokio::select! {
        () = serving => {}
        () = overdue(closing) => tracing::warn!("requests are still under way; going down all the same"),
    }
    watching.abort();
    if let Some(talking) = talking {
        talking.abort();
    }
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

/// Hears of what somebody else (a second server, the command line) wrote.
async fn watch_stream(store: Store, head: watch::Sender<Seq>) {
    let mut heads = store.heads();
    loop {
        let known = *head.borrow();
        match heads.next(known).await {
            Ok(newest) => advance(&head, newest),
            Err(error) => {
                tracing::warn!(%error, "the stream's end cannot be read");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
