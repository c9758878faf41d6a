//! `GET /v1/hub/access?known=DIGEST`: who may sign in where. 304 if the hub has it already.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use holdfast_core::protocol::encode;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::auth::FromHub;
use crate::{
    hex,
    http::{ApiError, App, page::CBOR},
    store::now,
};

#[derive(Deserialize)]
pub(super) struct Known {
    /// The SHA-256 of what the hub has.
    known: Option<String>,
}

pub(super) async fn handle(
    State(app): State<App>,
    FromHub(hub): FromHub,
    query: Result<Query<Known>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    // A hub asks this once a minute, whatever else it does.
    app.store.hub_seen(&hub.name, now()).await?;
    let access = encode(&app.store.access().await?);
    if query.known.as_deref() == Some(&hex::encode(&Sha256::digest(&access))) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(([(CONTENT_TYPE, CBOR)], access).into_response())
}
