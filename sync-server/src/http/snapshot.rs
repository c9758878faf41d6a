//! `GET /v1/snapshot?after=TOKEN`: all documents that the role may see, page by page, for a new device.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::header::CONTENT_TYPE,
    response::IntoResponse,
};
use holdfast_core::protocol::encode;
use serde::Deserialize;

use super::{ApiError, App, auth::SignedIn, pull::CBOR};

/// How many documents a page has unless asked for fewer, and at most.
const MAX_DOCUMENTS: usize = 2_000;

#[derive(Deserialize)]
pub(super) struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn handle(
    State(app): State<App>,
    who: SignedIn,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Query(page) = page?;
    let limit = page.limit.unwrap_or(MAX_DOCUMENTS).clamp(1, MAX_DOCUMENTS);
    let response = app.store.snapshot(page.after, limit, who.role).await?;
    let response = response.ok_or_else(|| ApiError::Malformed("`after` is no token of a snapshot".to_owned()))?;
    Ok(([(CONTENT_TYPE, CBOR)], encode(&response)))
}
