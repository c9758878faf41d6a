//! `GET /v1/hub/pull?after=SEQ&limit=N&mark=…`: what came after a cursor, as a device pulls it, but nothing is withheld.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use holdfast_core::policy::Role;

use super::auth::FromHub;
use crate::http::{ApiError, App, pull};

pub(super) async fn handle(
    State(app): State<App>,
    who: FromHub,
    page: Result<Query<pull::Page>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(page) = page?;
    app.pages
        .answer(who.counts_as(), pull::read(&app, Role::Admin, page))
        .await
}
