//! Pages of pulls and snapshots: a bounded number is made at once, and a bounded number is held in memory.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
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
    // Packing asks once more after the end.
    Body::from_stream(pieces.fuse())
}

#[cfg(test)]
mod tests {
    use holdfast_core::ids::DeviceId;

    use super::*;
    use crate::places::Room;

    #[tokio::test]
    async fn a_page_keeps_its_place_until_it_is_sent_or_given_up() {
        let places = Places::new(Room { all: 9, each: 9 });
        let place = || places.take(DeviceId(uuid::Uuid::nil())).expect("there is room");
        let bytes: Vec<u8> = (0..3 * PIECE + 7).map(|n| n as u8).collect();
        let mut pieces = body(bytes.clone(), place()).into_data_stream();
        let mut sent = Vec::new();
        while let Some(piece) = pieces.next().await {
            assert_eq!(places.taken(), 1, "some of it is still held");
            sent.extend_from_slice(&piece.expect("a piece"));
        }
        assert_eq!((places.taken(), sent), (0, bytes.clone()));

        let mut given_up = body(bytes, place()).into_data_stream();
        given_up.next().await;
        drop(given_up);
        assert_eq!(places.taken(), 0);
    }
}
