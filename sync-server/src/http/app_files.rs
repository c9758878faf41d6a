//! The ward app's files. Any address without a file name is the app itself, which finds its own way from there.

use std::path::PathBuf;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header::CACHE_CONTROL},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::services::{ServeDir, ServeFile};

use super::ApiError;

/// Vite puts the content's hash into these files' names.
const HASHED: &str = "/assets/";

/// Serves the folder of the built app, packed files (`.br`, `.gz`) where they are there.
pub(super) fn service(folder: PathBuf) -> Router {
    let index = ServeFile::new(folder.join("index.html"));
    let fallback = Router::new().fallback(move |request: Request| otherwise(index.clone(), request));
    let files = ServeDir::new(folder)
        .precompressed_br()
        .precompressed_gzip()
        .fallback(fallback);
    Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(caching))
}

async fn otherwise(mut index: ServeFile, request: Request) -> Response {
    let file = request.uri().path().rsplit('/').next().unwrap_or_default();
    if file.contains('.') {
        return ApiError::NotFound.into_response();
    }
    match index.try_call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => ApiError::Internal(error.to_string()).into_response(),
    }
}

/// Hashed files never change; everything else, the page and its service worker above all, is asked for anew.
async fn caching(request: Request, next: Next) -> Response {
    let hashed = request.uri().path().starts_with(HASHED);
    let mut response = next.run(request).await;
    let value = match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED if hashed => {
            "public, max-age=31536000, immutable"
        }
        _ => "no-cache",
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(value));
    response
}
