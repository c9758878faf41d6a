//! `GET /v1/hub/live`: the stream has moved, as a device is told.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::{Sse, sse::Event},
};
use futures_util::Stream;

use super::auth::FromHub;
use crate::http::{ApiError, App, live};

pub(super) async fn handle(
    State(app): State<App>,
    who: FromHub,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    live::channel(&app, who.counts_as())
}
