//! What the hospital's server gives to the hubs of wards. A device's token opens none of it.
//!
//! ```text
//! GET  /v1/hub/access      who may sign in where       POST /v1/hub/push        transactions of many devices
//! GET  /v1/hub/pull        the stream, all of it       POST /v1/hub/signed-out  sessions that ended at the hub
//! GET  /v1/hub/live        the stream has moved
//! ```

mod access;
mod auth;
mod live;
mod pull;
mod push;
mod signed_out;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

use super::App;

/// The largest list of sessions, in bytes: about 1,000 of them.
const MAX_SIGNED_OUT_BYTES: usize = 64 << 10;

/// These routes.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/access", get(access::handle))
        .route("/pull", get(pull::handle))
        .route("/push", post(push::handle))
        .route("/live", get(live::handle))
        .route(
            "/signed-out",
            post(signed_out::handle).layer(DefaultBodyLimit::max(MAX_SIGNED_OUT_BYTES)),
        )
}
