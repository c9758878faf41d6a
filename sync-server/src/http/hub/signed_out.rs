//! `POST /v1/hub/signed-out`: sessions that ended at a hub.

use axum::{body::Bytes, extract::State, http::StatusCode};
use holdfast_core::protocol::{HubSignedOut, decode};

use super::auth::FromHub;
use crate::http::{ApiError, App};

pub(super) async fn handle(State(app): State<App>, _: FromHub, body: Bytes) -> Result<StatusCode, ApiError> {
    let ended: HubSignedOut = decode(&body).map_err(|e| ApiError::Malformed(e.to_string()))?;
    for token in ended.tokens {
        app.store.close_session(token.0).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
