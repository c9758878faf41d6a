//! Pages of pulls and snapshots: a bounded number is made at once, and a bounded number is held in memory.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use holdfast_core::ids::DeviceId;
use tokio::sync::Semaphore;

use super::{ApiError, Limits};
use crate::places::{Place, Places};

/// The media type of CBOR messages.
pub(super) const CBOR: &str = "application/cbor";

/// How much of a page is given to a connection at a time, so that its place stays taken until the last of it is.
const PIECE: usize = 32 << 10;

/// Where pages are made.
pub(super) struct Pages {
    places: Places,
    makers: Semaphore,
}

impl Pages {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            places: Places::new(limits.pages),
            makers: Semaphore::new(limits.page_makers),
        }
    }

    /// Makes a page for somebody when it is their turn, and answers with it.
    pub(super) async fn answer(
        &self,
        device: DeviceId,
        page: impl Future<Output = Result<Vec<u8>, ApiError>>,
    ) -> Result<Response, ApiError> {
        let place = self.places.take(device).ok_or(ApiError::BUSY)?;
        let turn = self.makers.acquire().await.map_err(|_| ApiError::Unavailable(None))?;
        let bytes = page.await?;
        drop(turn);
        Ok(([(CONTENT_TYPE, CBOR)], body(bytes, place)).into_response())
    }
}

/// A body that keeps its place until it is sent or given up.
fn body(bytes: Vec<u8>, place: Place) -> Body {
    let pieces = stream::unfold((Bytes::from(bytes), place), async |(mut rest, place)| {
        let piece = rest.split_to(rest.len().min(PIECE));
        (!piece.is_empty()).then_some((Ok::<_, Infallible>(piece), (rest, place)))
    });
    Body::from_stream(pieces)
}
