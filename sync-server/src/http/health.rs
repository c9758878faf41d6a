//! `GET /health`: the process is there.

use axum::Json;
use serde_json::{Value, json};

pub(super) async fn handle() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
