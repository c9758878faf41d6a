//! `POST /v1/session`: a user signs in on a device.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use ed25519_dalek::VerifyingKey;
use holdfast_core::{
    ids::{DeviceId, Timestamp, UserId},
    protocol::{SignInRequest, SignInResponse},
    schema::SCHEMA_VERSION,
};

use super::at_hub;
use crate::{
    hex,
    http::{
        ApiError, App,
        auth::{TOKEN_BYTES, role, token_hash},
    },
    sign_in::password,
    store::{Account, Session, now, random},
    upstream::Link,
};

/// How long a session lasts.
const LIFETIME: Duration = Duration::from_hours(30 * 24);

/// The longest name of a device that is kept, in characters.
const MAX_DEVICE_NAME: usize = 100;

/// Longer passwords are refused unread: hashing them costs time.
const MAX_PASSWORD: usize = 1_024;

/// No user name is longer, in bytes: `users.username` has 50 characters.
const MAX_USERNAME: usize = 200;

pub(in crate::http) async fn handle(
    State(app): State<App>,
    request: Result<Json<SignInRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(request) = request?;
    let key = device_key(&request.device_key)?;
    if let Some(link) = &app.link {
        return at_hub::sign_in(&app, link, request, key).await;
    }
    let account = check_password(&app, &request).await?;
    let opened = open(&app, account, key, &request, Opening::Here).await?;
    Ok(Json(opened).into_response())
}

/// Where a session is opened.
pub(super) enum Opening<'a> {
    /// At the hospital's server.
    Here,
    /// At a hub, without the hospital's server.
    AtHub(&'a Link),
}

/// Opens a session for who may sign in.
pub(super) async fn open(
    app: &App,
    account: Account,
    key: [u8; 32],
    request: &SignInRequest,
    opening: Opening<'_>,
) -> Result<SignInResponse, ApiError> {
    if !account.is_active {
        return Err(ApiError::Inactive);
    }
    role(&account)?;
    let name = device_name(&request.device_name);
    let device = app.store.register_device(key, &name, account.user, now()).await?;
    if device.revoked_at.is_some() {
        return Err(ApiError::DeviceRevoked);
    }
    let token: [u8; TOKEN_BYTES] = random::bytes();
    let session = session(account.user, device.id);
    let created_at = session.created_at;
    match opening {
        Opening::Here => app.store.open_session(token_hash(&token), session).await?,
        Opening::AtHub(link) => link.store().open_own_session(token_hash(&token), session).await?,
    }
    tracing::info!(user = %account.user, device = %device.id, "signed in");
    Ok(SignInResponse {
        token: hex::encode(&token),
        hospital_id: app.hospital.to_string(),
        user_id: account.user,
        username: account.username,
        display_name: account.display_name,
        role: account.role,
        server_time: created_at.0,
        schema_version: SCHEMA_VERSION,
    })
}

/// A session that begins now.
pub(super) fn session(user: UserId, device: DeviceId) -> Session {
    let created_at = now();
    Session {
        user,
        device,
        created_at,
        expires_at: Timestamp(created_at.0 + LIFETIME.as_micros() as i64),
    }
}

/// The account, if the password is its. An unknown name takes as long as a known one.
pub(super) async fn check_password(app: &App, request: &SignInRequest) -> Result<Account, ApiError> {
    if let Some(wait) = app.attempts.wait(&request.username, Instant::now()) {
        return Err(ApiError::TooManyAttempts(wait));
    }
    if request.password.len() > MAX_PASSWORD || request.username.len() > MAX_USERNAME {
        return Err(ApiError::SignInFailed);
    }
    let _place = app.sign_ins.try_acquire().map_err(|_| ApiError::BUSY)?;
    let account = if request.username.contains('\0') {
        None
    } else {
        app.store.account_by_username(&request.username).await?
    };
    let hash = account.as_ref().and_then(|a| a.password_hash.clone());
    let password = request.password.clone();
    let permit = app.verifiers.acquire().await.map_err(|_| ApiError::Unavailable(None))?;
    // Others may have failed with this name since.
    if let Some(wait) = app.attempts.wait(&request.username, Instant::now()) {
        return Err(ApiError::TooManyAttempts(wait));
    }
    let right = tokio::task::spawn_blocking(move || password::verify(&password, hash.as_deref()))
        .await
        .map_err(|e| ApiError::Internal(e.to_string()))?;
    drop(permit);
    match account {
        Some(account) if right => {
            app.attempts.succeeded(&request.username);
            Ok(account)
        }
        _ => {
            app.attempts.failed(&request.username, Instant::now());
            tracing::info!("a sign-in failed");
            Err(ApiError::SignInFailed)
        }
    }
}

fn device_key(text: &str) -> Result<[u8; 32], ApiError> {
    let malformed = |why: &str| ApiError::Malformed(format!("deviceKey: {why}"));
    let key: [u8; 32] = hex::decode(text).ok_or_else(|| malformed("not 64 hexadecimal digits"))?;
    match VerifyingKey::from_bytes(&key) {
        Ok(point) if !point.is_weak() => Ok(key),
        _ => Err(malformed("not an Ed25519 public key")),
    }
}

pub(super) fn device_name(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_DEVICE_NAME).collect()
}
