//! What goes wrong, as HTTP says it: the one place where errors become statuses and [`ErrorResponse`]s.

use std::time::Duration;

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use holdfast_core::protocol::{ErrorResponse, MAX_PUSH_TRANSACTIONS};

use super::MAX_SIGN_IN_BYTES;
use crate::{committer::CommitError, store::StoreError};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request isn't one: what is wrong, and where.
    #[error("The request cannot be read: {0}")]
    Malformed(String),
    /// User name, password or both are wrong; which is not told.
    #[error("User name or password is not right.")]
    SignInFailed,
    /// Too many wrong passwords.
    #[error("Too many attempts. Try again in {} seconds.", .0.as_secs().max(1))]
    TooManyAttempts(Duration),
    /// The account is switched off.
    #[error("This account is not active. Ask the administrator.")]
    Inactive,
    /// The device was reported lost.
    #[error("This device has been locked out. Ask the administrator.")]
    DeviceRevoked,
    /// The account's role is none that the server knows.
    #[error("{0}. Ask the administrator.")]
    UnknownRole(String),
    /// No token, or one that is not (or no longer) good.
    #[error("Sign in first.")]
    Unauthorized,
    /// The device's place is none in this server's history.
    #[error("The hospital's server was put back to a backup. What was done on this device since is given back to it.")]
    Diverged,
    /// No token of a hub.
    #[error("The hospital's server does not know this hub's token.")]
    UnknownHub,
    /// The hub was stolen, or is not used any more.
    #[error("This hub has been locked out.")]
    HubRevoked,
    /// A hub without its link, and somebody whom it cannot know.
    #[error(
        "This ward has no link to the hospital just now. Until it is back, sign in on a device on which you have signed in \
         before."
    )]
    NoLink,
    /// A hub that is not ready yet.
    #[error(
        "This ward's hub is copying the hospital. Your work is kept on this device; it goes on in a while by itself."
    )]
    Copying,
    /// A hub from which the hospital takes nothing any more.
    #[error("This ward's hub has been locked out. Your work is kept on this device. Tell your administrator.")]
    HubLockedOut,
    /// There is nothing at this address.
    #[error("There is nothing here.")]
    NotFound,
    /// The address takes other methods.
    #[error("This address does not take this method.")]
    MethodNotAllowed,
    /// The body is larger than this many bytes, packed or unpacked.
    #[error("The request has more than {0} bytes.")]
    TooLarge(usize),
    /// A push has too many transactions.
    #[error("The push has {0} transactions, where {MAX_PUSH_TRANSACTIONS} are allowed.")]
    TooMany(usize),
    /// A packing that the server does not know.
    #[error("The body's Content-Encoding is not known here: use gzip or none.")]
    UnknownEncoding,
    /// There is no room for the request just now; there may be after this time.
    #[error("The server is busy. It is safe to try again.")]
    Busy(Duration),
    /// It took too long.
    #[error("The request took too long. It is safe to try again.")]
    Timeout,
    /// The store cannot be reached, or the server is going down.
    #[error("The server cannot reach its database. It is safe to try again.")]
    Unavailable(Option<String>),
    /// A bug or damage.
    #[error("The server failed. Its log tells more.")]
    Internal(String),
}

impl ApiError {
    /// What is under way is over soon.
    pub(super) const BUSY: Self = Self::Busy(Duration::from_secs(1));

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::SignInFailed => (StatusCode::UNAUTHORIZED, "sign_in_failed"),
            Self::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
            Self::Inactive => (StatusCode::FORBIDDEN, "inactive"),
            Self::DeviceRevoked => (StatusCode::FORBIDDEN, "device_revoked"),
            Self::UnknownRole(_) => (StatusCode::FORBIDDEN, "unknown_role"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Diverged => (StatusCode::CONFLICT, "diverged"),
            Self::NoLink => (StatusCode::SERVICE_UNAVAILABLE, "no_link"),
            Self::Copying => (StatusCode::SERVICE_UNAVAILABLE, "copying"),
            Self::HubLockedOut => (StatusCode::SERVICE_UNAVAILABLE, "hub_locked_out"),
            Self::UnknownHub => (StatusCode::UNAUTHORIZED, "unknown_hub"),
            Self::HubRevoked => (StatusCode::FORBIDDEN, "hub_revoked"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::TooLarge(_) | Self::TooMany(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::UnknownEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_encoding"),
            Self::Busy(_) => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts(wait) | Self::Busy(wait) => Some(wait.as_secs().max(1)),
            Self::Timeout => Some(1),
            Self::Unavailable(_) => Some(5),
            Self::Copying => Some(10),
            Self::NoLink | Self::HubLockedOut => Some(60),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        match &self {
            Self::Unavailable(Some(cause)) => tracing::warn!(%cause, "the store cannot be reached"),
            Self::Internal(cause) => tracing::error!(cause, "the request failed"),
            other => tracing::debug!(code, "refused: {other}"),
        }
        let body = ErrorResponse {
            code: code.to_owned(),
            message: self.to_string(),
        };
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        if let StoreError::Sqlite(holdfast_store::StoreError::Copying) = error {
            Self::Copying
        } else if error.is_unreachable() {
            Self::Unavailable(Some(error.to_string()))
        } else {
            Self::Internal(error.to_string())
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Closed => Self::Unavailable(None),
            CommitError::Store(error) => Self::from(&*error),
        }
    }
}

/// The sign-in is the one request in JSON.
impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::TooLarge(MAX_SIGN_IN_BYTES);
        }
        Self::Malformed(rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::Malformed(rejection.body_text())
    }
}
