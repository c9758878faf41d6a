//! `DELETE /v1/session`: signs out.

use axum::{extract::State, http::StatusCode};

use crate::http::{ApiError, App, auth::SignedIn};

pub(in crate::http) async fn handle(State(app): State<App>, who: SignedIn) -> Result<StatusCode, ApiError> {
    match &app.link {
        None => app.store.close_session(who.token).await?,
        Some(link) => {
            link.store().end_session(who.token).await?;
            link.push_soon();
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
