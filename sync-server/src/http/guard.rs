//! What every request passes through: a log line with an id, a time limit, a net for panics, headers that keep browsers safe.

use std::{
    any::Any,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};
use tracing::Instrument;
use uuid::Uuid;

use super::{ApiError, App};
use crate::{store::random, upstream::Contact};

/// How long a request may take until its answer begins. Slow networks upload for a while.
const PATIENCE: Duration = Duration::from_mins(2);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const HOSPITAL: HeaderName = HeaderName::from_static("holdfast-hospital");

/// What pages of this origin may do: run what came from here, WebAssembly included, and talk to here.
const CONTENT_SECURITY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const SECURITY: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Gives the request an id, which its log lines and its response carry, and logs what became of it.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let id = u64::from_be_bytes(random::bytes());
    let id = format!("{id:016x}");
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    let milliseconds = took.as_millis() as u64;
    span.in_scope(|| tracing::info!(status, milliseconds, "answered"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Ends what takes too long. A live channel's answer begins at once, so that it is not cut.
pub(super) async fn time_limit(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Timeout.into_response(),
    }
}

/// Adds what is not said by the route itself.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SECURITY {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A hub serves nobody before it has copied the hospital, nor once it was locked out.
pub(super) async fn open_hub(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(link) = &app.link else {
        return next.run(request).await;
    };
    let state = link.state();
    if state.contact == Contact::LockedOut {
        return ApiError::HubLockedOut.into_response();
    }
    if !state.complete {
        return ApiError::Copying.into_response();
    }
    next.run(request).await
}

/// Tells a device which hospital answers, be it with an error: a device may find another server at its address.
pub(super) async fn name_hospital(State(hospital): State<Uuid>, request: Request, next: Next) -> Response {
    let is_sync = request.uri().path().starts_with("/v1/");
    let mut response = next.run(request).await;
    if is_sync && let Ok(name) = HeaderValue::from_str(&hospital.to_string()) {
        response.headers_mut().insert(HOSPITAL, name);
    }
    response
}

/// A panic answers its own request with 500 and leaves the others alone.
pub(super) fn catch_panics() -> CatchPanicLayer<Panicked> {
    CatchPanicLayer::custom(Panicked)
}

/// See [`catch_panics`].
#[derive(Clone, Copy)]
pub(super) struct Panicked;

impl ResponseForPanic for Panicked {
    type ResponseBody = axum::body::Body;

    fn response_for_panic(&mut self, panic: Box<dyn Any + Send + 'static>) -> Response {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        ApiError::Internal(format!("panicked: {said}")).into_response()
    }
}
