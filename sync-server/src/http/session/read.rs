//! `GET /v1/session`: who is signed in here.

use axum::{Json, extract::State};
use holdfast_core::{ids::UserId, schema::SCHEMA_VERSION};
use serde::Serialize;

use crate::{
    http::{ApiError, App, auth::SignedIn},
    store::now,
};

/// The answer (JSON): that of the sign-in without its token.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Who {
    hospital_id: String,
    user_id: UserId,
    username: String,
    display_name: String,
    role: String,
    /// When the session ends, microseconds since 1970.
    expires_at: i64,
    server_time: i64,
    schema_version: u32,
}

pub(in crate::http) async fn handle(State(app): State<App>, who: SignedIn) -> Result<Json<Who>, ApiError> {
    Ok(Json(Who {
        hospital_id: app.hospital.to_string(),
        user_id: who.account.user,
        username: who.account.username,
        display_name: who.account.display_name,
        role: who.account.role,
        expires_at: who.session.expires_at.0,
        server_time: now().0,
        schema_version: SCHEMA_VERSION,
    }))
}
