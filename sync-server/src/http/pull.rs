//! `GET /v1/pull?after=SEQ&limit=N`: what came after a cursor, as far as the role may see it.

mod relayed;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use holdfast_core::{
    ids::Seq,
    policy::Role,
    protocol::{PullResponse, encode},
    transaction::{LogEntry, Mark},
};
use serde::Deserialize;

use super::{ApiError, App, auth::SignedIn};

/// How many transactions a page has unless asked for fewer, and at most.
const MAX_ENTRIES: usize = 2_000;

/// No transaction is added to a page of this size.
const MAX_BYTES: usize = 4 << 20;

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    after: Seq,
    limit: Option<usize>,
    /// The mark of the entry at `after`, if the device knows it.
    mark: Option<String>,
    /// The device's place in what a hub relays: the list as 16 hexadecimal digits, a dot, the place. Only hubs look at it.
    relayed: Option<String>,
}

impl Page {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(MAX_ENTRIES).clamp(1, MAX_ENTRIES)
    }
}

pub(super) async fn handle(
    State(app): State<App>,
    who: SignedIn,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(page) = page?;
    match &app.link {
        None => app.pages.answer(who.device.id, read(&app, who.role, page)).await,
        Some(link) => {
            app.pages
                .answer(who.device.id, relayed::read(&app, link, who.role, page))
                .await
        }
    }
}

/// A page of the stream for a role.
pub(super) async fn read(app: &App, role: Role, page: Page) -> Result<Vec<u8>, ApiError> {
    let limit = page.limit();
    if let Some(mark) = page.mark
        && app.store.mark(page.after).await? != Some(Mark(mark))
    {
        return Err(ApiError::Diverged);
    }
    let pulled = app.store.pull(page.after, limit, MAX_BYTES).await?;
    let checksum = pulled.checksum(role);
    let entries = withhold(pulled.entries, role)?;
    let response = PullResponse {
        checksum,
        relayed: None,
        cursor: entries.last().map_or(page.after, |last| last.seq),
        entries,
        head: pulled.head,
    };
    Ok(encode(&response))
}

/// Takes out the changes that the role may not see. Their hashes stay, so that everybody can check the signature.
fn withhold(entries: Vec<LogEntry>, role: Role) -> Result<Vec<LogEntry>, ApiError> {
    entries
        .into_iter()
        .map(|mut entry| {
            let body = entry
                .transaction
                .body()
                .map_err(|e| ApiError::Internal(format!("the transaction at {} cannot be read: {e}", entry.seq)))?;
            if body.changes.iter().any(|change| !role.may_see(&change.document)) {
                entry.transaction = entry.transaction.withhold(&body, |document| role.may_see(document));
            }
            Ok(entry)
        })
        .collect()
}
