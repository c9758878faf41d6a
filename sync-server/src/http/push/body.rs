//! A request's body, bounded packed and unpacked.

use std::{io::Read, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING},
};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use holdfast_core::protocol::MAX_REQUEST_BYTES;
use tokio::time::timeout;

use crate::http::ApiError;

/// How a body is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// With gzip.
    Gzip,
}

/// What the headers say.
pub(super) fn packing(headers: &HeaderMap) -> Result<Packing, ApiError> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(Packing::Plain),
        Some(b"gzip" | b"x-gzip") => Ok(Packing::Gzip),
        Some(_) => Err(ApiError::UnknownEncoding),
    }
}

/// Reads a body; stops at the limit, and after a silence of this length.
pub(super) async fn read(body: Body, silence: Duration) -> Result<Vec<u8>, ApiError> {
    let (mut pieces, mut bytes) = (body.into_data_stream(), Vec::new());
    let mut next = async || timeout(silence, pieces.next()).await.map_err(|_| ApiError::Timeout);
    while let Some(piece) = next().await? {
        let piece = piece.map_err(|e| ApiError::Malformed(format!("the body ended early: {e}")))?;
        if bytes.len() + piece.len() > MAX_REQUEST_BYTES {
            return Err(ApiError::TooLarge(MAX_REQUEST_BYTES));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Unpacks a body and stops at the limit: a small body may unpack to any size.
pub(super) fn unpack(packed: Vec<u8>, packing: Packing) -> Result<Vec<u8>, ApiError> {
    if packing == Packing::Plain {
        return Ok(packed);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(&packed[..])
        .take(MAX_REQUEST_BYTES as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|e| ApiError::Malformed(format!("the body cannot be unpacked: {e}")))?;
    if unpacked.len() > MAX_REQUEST_BYTES {
        return Err(ApiError::TooLarge(MAX_REQUEST_BYTES));
    }
    Ok(unpacked)
}
