//! `GET /ready`: the database answers and its tables are there; until then nobody should be sent here. Tells how far the
//! stream is and how many transactions wait for what they build on; on a hub also how its link stands.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{ApiError, App};
use crate::upstream::{Contact, Link};

pub(super) async fn handle(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    if *app.closing.borrow() {
        return Err(ApiError::Unavailable(None));
    }
    match app.store.is_ready().await {
        Ok(true) => {
            let waiting = app.store.waiting().await?;
            let hub = match &app.link {
                Some(link) => Some(hub(link).await?),
                None => None,
            };
            Ok(Json(json!({
                "status": "ready",
                "head": *app.head.borrow(),
                "waiting": waiting.transactions,
                "waitingSince": waiting.since.map(|since| since.to_string()),
                "hub": hub,
            })))
        }
        Ok(false) => Err(ApiError::Unavailable(Some(
            "the database has another format".to_owned(),
        ))),
        Err(error) => Err(ApiError::Unavailable(Some(error.to_string()))),
    }
}

/// On a hub: how its link stands, and what it relays.
async fn hub(link: &Link) -> Result<Value, ApiError> {
    let state = link.state();
    if !state.complete {
        return Err(ApiError::Copying);
    }
    let (how, since, problem) = match &state.contact {
        Contact::Untried => ("not tried yet", None, None),
        Contact::Up => ("up", None, None),
        Contact::Down { since, problem } => ("down", Some(since.to_string()), Some(problem.as_str())),
        Contact::LockedOut => ("locked out", None, None),
    };
    let relayed = link.store().relay_count().await?;
    Ok(json!({
        "link": how,
        "downSince": since,
        "problem": problem,
        "lastContact": state.last.map(|last| last.to_string()),
        "relayed": relayed.transactions,
        "relayedSince": relayed.since.map(|since| since.to_string()),
        "unanswered": relayed.unanswered,
    }))
}
