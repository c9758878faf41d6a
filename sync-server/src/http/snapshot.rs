//! `GET /v1/snapshot?after=TOKEN`: all documents that the role may see, page by page, for a new device.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use holdfast_core::{ids::Seq, protocol::encode};
use serde::Deserialize;

use super::{ApiError, App, auth::SignedIn};

/// How many documents a page behind the first has unless asked for fewer, and any at most. A device writes each page in one
/// transaction, which costs less the more rows it has.
const MAX_DOCUMENTS: usize = 5_000;

/// How many the first page has unless asked for another number: the device writes it while the second, which it has asked for
/// by then, is read and packed here.
const FIRST_DOCUMENTS: usize = 2_000;

#[derive(Deserialize)]
pub(super) struct Page {
    after: Option<String>,
    limit: Option<usize>,
    /// Why a device copies anew what it has: at this place in the stream it came to another checksum.
    differs: Option<Seq>,
}

pub(super) async fn handle(
    State(app): State<App>,
    who: SignedIn,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(page) = page?;
    if let Some(seq) = page.differs {
        tracing::warn!(device = %who.device.id, user = %who.session.user, %seq, "a device's replica differs from the stream: it copies the \
            hospital anew");
    }
    let usual = if page.after.is_none() {
        FIRST_DOCUMENTS
    } else {
        MAX_DOCUMENTS
    };
    let limit = page.limit.unwrap_or(usual).clamp(1, MAX_DOCUMENTS);
    let reading = async {
        let response = app.store.snapshot(page.after, limit, who.role).await?;
        let response = response.ok_or_else(|| ApiError::Malformed("`after` is no token of a snapshot".to_owned()))?;
        Ok(encode(&response))
    };
    app.pages.answer(who.device.id, reading).await
}
