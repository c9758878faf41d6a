//! Signing in at a ward's hub: the hospital's server says yes or no while it can be reached. While it cannot, those are let in
//! who have signed in on the same device before.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use holdfast_core::{
    ids::DeviceId,
    protocol::{SignInRequest, SignInResponse},
};

use super::create::{self, Opening, check_password, device_name};
use crate::{
    hex,
    http::{
        ApiError, App,
        auth::{TOKEN_BYTES, token_hash},
    },
    store::now,
    upstream::{Forwarded, Link},
};

pub(super) async fn sign_in(
    app: &App,
    link: &Link,
    request: SignInRequest,
    key: [u8; 32],
) -> Result<Response, ApiError> {
    let asked = serde_json::to_vec(&request).map_err(|e| ApiError::Internal(e.to_string()))?;
    // Each takes a thread while it waits.
    let place = app.sign_ins.try_acquire().map_err(|_| ApiError::BUSY)?;
    let answer = link.sign_in(asked).await;
    drop(place);
    match answer {
        Ok(answer) => passed_on(app, link, &request, key, answer).await,
        Err(error) => {
            tracing::debug!(%error, "a sign-in is not passed on");
            let account = known(app, &request, key).await?;
            let opened = create::open(app, account, key, &request, Opening::AtHub(link)).await?;
            Ok(Json(opened).into_response())
        }
    }
}

/// Gives the answer of the hospital's server back as it is, and remembers a session that it opened.
async fn passed_on(
    app: &App,
    link: &Link,
    request: &SignInRequest,
    key: [u8; 32],
    answer: Forwarded,
) -> Result<Response, ApiError> {
    if answer.status == StatusCode::OK.as_u16() {
        let unreadable = || ApiError::Internal("the hospital's server answered a sign-in in another way".to_owned());
        let opened: SignInResponse = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let token = hex::decode::<TOKEN_BYTES>(&opened.token).ok_or_else(unreadable)?;
        let name = device_name(&request.device_name);
        let device = app.store.register_device(key, &name, opened.user_id, now()).await?;
        let session = create::session(opened.user_id, device.id);
        app.store.open_session(token_hash(&token), session).await?;
        // Somebody new: the row of `users` is on its way.
        if app.store.account(opened.user_id).await?.is_none() {
            link.refresh().await;
        }
    }
    let status = StatusCode::from_u16(answer.status).map_err(|e| ApiError::Internal(e.to_string()))?;
    let mut response = (status, [(CONTENT_TYPE, "application/json")], answer.body).into_response();
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// The account, if its user has signed in on the device before and the password is right.
async fn known(app: &App, request: &SignInRequest, key: [u8; 32]) -> Result<crate::store::Account, ApiError> {
    let device = DeviceId::of_public_key(&key);
    let account = app
        .store
        .account_by_username(&request.username.replace('\0', ""))
        .await?;
    let has_signed_in = match &account {
        Some(account) => app.store.has_signed_in(device, account.user).await?,
        None => false,
    };
    if !has_signed_in {
        return Err(ApiError::NoLink);
    }
    check_password(app, request).await
}
