//! Which hub asks: the one behind a bearer token.

use axum::{extract::FromRequestParts, http::request::Parts};
use holdfast_core::ids::DeviceId;
use sha2::{Digest, Sha256};

use crate::{
    http::{ApiError, App, auth::bearer},
    store::KnownHub,
};

/// A hub with a good token. Routes that take it are closed to others.
pub(super) struct FromHub(pub(super) KnownHub);

impl FromHub {
    /// Among those who take room in this server a hub counts as one device.
    pub(super) fn counts_as(&self) -> DeviceId {
        DeviceId::of_public_key(&Sha256::digest(self.0.name.as_bytes()).into())
    }
}

impl FromRequestParts<App> for FromHub {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ApiError::UnknownHub)?;
        let hub = app.store.hub_of_token(token).await?.ok_or(ApiError::UnknownHub)?;
        if hub.revoked_at.is_some() {
            return Err(ApiError::HubRevoked);
        }
        Ok(Self(hub))
    }
}
