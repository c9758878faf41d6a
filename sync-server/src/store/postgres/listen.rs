//! The stream's end as other servers move it: whoever commits notifies, and every server listens.
//!
//! ```text
//! accept (any server) ── NOTIFY in its transaction ──► listener ──► reads sync.head ──► live channels
//!                                       nothing heard for a while ──┘
//! ```
//!
//! *Architecture invariant*: a notification is a hint. Any user of the database may send one, so what counts is read from
//! the table; and it may be lost with its connection, so the table is read after each connection and now and then.

use std::time::Duration;

use holdfast_core::ids::Seq;
use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::time::timeout;

use super::{PostgresStore, StoreError};

/// On which channel; the payload is the stream's end. `accept` names it too.
const CHANNEL: &str = "holdfast_head";

/// How the listening connection calls itself among the database's sessions.
const NAME: &str = "holdfast listener";

/// After how long without a word the stream's end is read all the same.
const SILENCE: Duration = Duration::from_secs(15);

/// After how long a listening connection that does not answer is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hears of the stream's moves on a connection of its own.
#[derive(Debug)]
pub struct Heads {
    pool: PgPool,
    listener: Option<PgListener>,
}

impl PostgresStore {
    /// Tells where the stream ends whenever it moves, whoever moved it.
    pub fn heads(&self) -> Heads {
        Heads {
            pool: self.pool.clone(),
            listener: None,
        }
    }
}

impl Heads {
    /// The stream's end: at once after connecting, then whenever it may have moved beyond what is `known`. After an error
    /// the next call connects anew. It may be dropped at any time without missing anything.
    pub async fn next(&mut self, known: Seq) -> Result<Seq, StoreError> {
        let Some(listener) = &mut self.listener else {
            return self.connect().await;
        };
        match timeout(SILENCE, listener.try_recv()).await {
            // This server's own, or one that was read together with an earlier one.
            Ok(Ok(Some(heard))) if heard.payload().parse().is_ok_and(|seq| Seq(seq) <= known) => Ok(known),
            Ok(Ok(Some(_))) => self.look().await,
            Ok(Ok(None)) => self.connect().await,
            Ok(Err(error)) => {
                self.listener = None;
                Err(error.into())
            }
            Err(_) => {
                let newest = self.look().await?;
                if newest > known {
                    tracing::warn!("the stream moved and PostgreSQL did not notify: is there a pooler in between?");
                }
                Ok(newest)
            }
        }
    }

    /// Listens first and reads then: what comes in between is notified.
    async fn connect(&mut self) -> Result<Seq, StoreError> {
        self.listener = None;
        let options = self.pool.connect_options().as_ref().clone().application_name(NAME);
        let opening = async {
            let one = PgPoolOptions::new()
                .max_connections(1)
                .max_lifetime(None)
                .idle_timeout(None)
                .connect_with(options)
                .await?;
            let mut listener = PgListener::connect_with(&one).await?;
            listener.ignore_pool_close_event(true);
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        self.listener = Some(
            timeout(PATIENCE, opening)
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)??,
        );
        self.look().await
    }

    /// Reads the stream's end on the listening connection, which shows that it is alive.
    async fn look(&mut self) -> Result<Seq, StoreError> {
        let Some(listener) = &mut self.listener else {
            return Err(sqlx::Error::PoolClosed.into());
        };
        // What was notified by now is read with this.
        while listener.next_buffered().is_some() {}
        let reading = sqlx::query_scalar::<_, i64>("SELECT seq FROM sync.head").fetch_one(listener);
        match timeout(PATIENCE, reading).await {
            Ok(Ok(seq)) => Ok(Seq(seq as u64)),
            Ok(Err(error)) => {
                self.listener = None;
                Err(error.into())
            }
            Err(_) => {
                self.listener = None;
                Err(sqlx::Error::PoolTimedOut.into())
            }
        }
    }
}
