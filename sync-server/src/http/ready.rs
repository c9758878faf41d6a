//! `GET /ready`: the database answers and its tables are there; until then nobody should be sent here. Tells how far the
//! stream is and how many transactions wait for what they build on.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{ApiError, App};

pub(super) async fn handle(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    if *app.closing.borrow() {
        return Err(ApiError::Unavailable(None));
    }
    match app.store.is_ready().await {
        Ok(true) => {
            let waiting = app.store.waiting().await?;
            Ok(Json(json!({
                "status": "ready",
                "head": *app.head.borrow(),
                "waiting": waiting.transactions,
                "waitingSince": waiting.since.map(|since| since.to_string()),
            })))
        }
        Ok(false) => Err(ApiError::Unavailable(Some(
            "the database has another format".to_owned(),
        ))),
        Err(error) => Err(ApiError::Unavailable(Some(error.to_string()))),
    }
}
