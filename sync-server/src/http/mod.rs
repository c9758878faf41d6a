//! The server's HTTP side: one file per route, errors in one place ([`error`]).
//!
//! ```text
//! POST   /v1/session    sign in            GET /v1/pull      what came after a cursor
//! GET    /v1/session    who am I           GET /v1/snapshot  everything, for a new device
//! DELETE /v1/session    sign out           GET /v1/live      the stream has moved (server-sent events)
//! POST   /v1/push       the outbox         GET /health, /ready; everything else is the ward app
//! /v1/hub/…             see [`hub`]
//! ```

mod app_files;
mod auth;
mod connections;
mod error;
mod guard;
mod health;
mod hub;
mod limits;
mod live;
mod page;
mod pull;
mod push;
mod ready;
mod serve;
mod session;
mod snapshot;

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header::CACHE_CONTROL},
    middleware,
    routing::{get, post},
};
use holdfast_core::ids::Seq;
use tokio::sync::{Semaphore, watch};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};
use uuid::Uuid;

use crate::{committer::Committer, places::Places, sign_in::Attempts, store::Store, upstream::Link};

use page::Pages;
use push::Processors;

pub use error::ApiError;
pub use limits::Limits;
pub use serve::{Server, serve};

/// The largest sign-in request, in bytes.
const MAX_SIGN_IN_BYTES: usize = 16 << 10;

/// How many passwords are verified at once: each takes a processor and 19 MB for a while.
const VERIFIERS: usize = 2;

/// What all routes share.
pub struct Shared {
    /// The store.
    pub store: Store,
    /// Which hospital this is, as it was when the server started.
    pub hospital: Uuid,
    /// Where pushes go.
    pub committer: Committer,
    /// The stream's end, as far as this server knows.
    pub head: watch::Receiver<Seq>,
    /// True when the server goes down.
    pub closing: watch::Receiver<bool>,
    /// How much clients may take at once.
    pub limits: Limits,
    /// On a ward's hub: its link to the hospital's server.
    pub link: Option<Arc<Link>>,
    attempts: Attempts,
    sign_ins: Semaphore,
    verifiers: Semaphore,
    processors: Processors,
    pages: Pages,
    channels: Places,
}

type App = Arc<Shared>;

impl Shared {
    /// The routes' state.
    pub fn new(
        store: Store,
        limits: Limits,
        link: Option<Arc<Link>>,
        hospital: Uuid,
        committer: Committer,
        head: watch::Receiver<Seq>,
        closing: watch::Receiver<bool>,
    ) -> Self {
        Self {
            store,
            hospital,
            committer,
            head,
            closing,
            limits,
            link,
            attempts: Attempts::default(),
            sign_ins: Semaphore::new(limits.sign_ins),
            pages: Pages::new(&limits),
            channels: Places::new(limits.live),
            verifiers: Semaphore::new(VERIFIERS),
            processors: Processors::all_but_one(),
        }
    }
}

/// All routes. `app` is the folder of the built ward app.
pub fn router(shared: Shared, app: Option<PathBuf>) -> Router {
    let (hospital, shared) = (shared.hospital, Arc::new(shared));
    let api = Router::new()
        .route(
            "/session",
            post(session::create::handle)
                .get(session::read::handle)
                .delete(session::delete::handle)
                .layer(DefaultBodyLimit::max(MAX_SIGN_IN_BYTES)),
        )
        .route("/push", post(push::handle))
        .route("/pull", get(pull::handle))
        .route("/snapshot", get(snapshot::handle))
        .route("/live", get(live::handle))
        .nest("/hub", hub::router())
        .fallback(async || ApiError::NotFound)
        .layer(middleware::from_fn_with_state(shared.clone(), guard::open_hub))
        .layer(SetResponseHeaderLayer::if_not_present(
            CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ));
    let routes = Router::new()
        .nest("/v1", api)
        .route("/health", get(health::handle))
        .route("/ready", get(ready::handle))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .with_state(shared);
    let routes = match app {
        Some(folder) => routes.fallback_service(app_files::service(folder)),
        None => routes.fallback(async || ApiError::NotFound),
    };
    routes
        .layer(CompressionLayer::new().quality(tower_http::CompressionLevel::Fastest))
        .layer(middleware::from_fn(guard::security_headers))
        .layer(middleware::from_fn(guard::time_limit))
        .layer(guard::catch_panics())
        .layer(middleware::from_fn_with_state(hospital, guard::name_hospital))
        .layer(middleware::from_fn(guard::log))
}
