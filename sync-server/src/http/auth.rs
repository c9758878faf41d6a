//! Who asks: the session behind a bearer token.

use std::str::FromStr;

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use holdfast_core::policy::Role;
use sha2::{Digest, Sha256};

use super::{ApiError, App};
use crate::{
    hex,
    store::{self, Account, Device, Session, TokenHash, now},
};

/// Bytes of randomness in a token.
pub(super) const TOKEN_BYTES: usize = 32;

/// Somebody with a good session. Routes that take it are closed to others.
pub(super) struct SignedIn {
    pub(super) token: TokenHash,
    pub(super) session: Session,
    pub(super) account: Account,
    pub(super) role: Role,
    pub(super) device: Device,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ApiError::Unauthorized)?;
        let Some(found) = signed_in(app, token).await? else {
            let locked_out = app.store.was_locked_out(token).await?;
            return Err(if locked_out {
                ApiError::DeviceRevoked
            } else {
                ApiError::Unauthorized
            });
        };
        let account = found.account.ok_or(ApiError::Unauthorized)?;
        if !account.is_active {
            return Err(ApiError::Inactive);
        }
        let device = found.device.ok_or(ApiError::Unauthorized)?;
        if device.revoked_at.is_some() {
            return Err(ApiError::DeviceRevoked);
        }
        Ok(Self {
            token,
            role: role(&account)?,
            session: found.session,
            account,
            device,
        })
    }
}

/// The session of a token. One that a hub does not know may be the hospital's, and new.
async fn signed_in(app: &App, token: TokenHash) -> Result<Option<store::SignedIn>, ApiError> {
    let found = app.store.signed_in(token, now()).await?;
    if found.is_none()
        && let Some(link) = &app.link
        && link.refresh().await
    {
        return Ok(app.store.signed_in(token, now()).await?);
    }
    Ok(found)
}

/// What the account may do.
pub(super) fn role(account: &Account) -> Result<Role, ApiError> {
    Role::from_str(&account.role).map_err(|unknown| ApiError::UnknownRole(unknown.to_string()))
}

/// What is kept of a token.
pub(super) fn token_hash(token: &[u8; TOKEN_BYTES]) -> TokenHash {
    Sha256::digest(token).into()
}

/// The hash of the token that a request carries.
pub(super) fn bearer(parts: &Parts) -> Option<TokenHash> {
    let header = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    let token = hex::decode(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
    Some(token_hash(&token))
}
