//! `POST /v1/push`: transactions of a device's outbox.
//!
//! ```text
//! body ─► unpack ─► PushRequest ─► verify each ─► makers may ─► queue ─► outcomes, in the request's order
//!   413, 415, 400          400          └── Rejected ──┴──────────┘
//! ```
//!
//! A request that cannot be read is refused as a whole; a transaction that is not right is rejected alone and the others
//! go on.

mod body;
mod makers;
mod processors;
mod verify;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::IntoResponse,
};
use holdfast_core::{
    ids::DeviceId,
    protocol::{MAX_PUSH_TRANSACTIONS, PushOutcome, PushRequest, PushResponse, decode, encode},
    transaction::{DeviceKey, Transaction},
};

use super::{ApiError, App, auth::SignedIn, page::CBOR};
use crate::{places::Place, store::Submission};
pub(super) use processors::Processors;
pub(super) use verify::{NotTaken, Verified, verify_all};

pub(super) async fn handle(
    State(app): State<App>,
    who: SignedIn,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, ApiError> {
    let (place, transactions) = receive(&app, who.device.id, &headers, body).await?;
    let key = DeviceKey::new(&who.device.public_key);
    let count = transactions.len();
    let verify = move |threads| {
        let sent_by = |id| {
            let reason = "The transaction was made on another device than the one that sends it.";
            (id == key.device())
                .then_some(&key)
                .ok_or(NotTaken::Ever("wrong_device", reason))
        };
        verify_all(transactions, &sent_by, threads)
    };
    answer(&app, place, app.processors.verify(count, verify).await?).await
}

/// Reads a push of a device, or of a hub.
pub(super) async fn receive(
    app: &App,
    from: DeviceId,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Place, Vec<Transaction>), ApiError> {
    // Taken before the body is read: who is told to come back has not sent it in vain, and memory is bounded.
    let place = app.committer.place(from).ok_or(ApiError::BUSY)?;
    let packed = body::read(body, app.limits.silence).await?;
    let packing = body::packing(headers)?;
    let transactions = blocking(move || read(&body::unpack(packed, packing)?)).await??;
    Ok((place, transactions))
}

/// Commits what is right of a push and answers it.
pub(super) async fn answer(
    app: &App,
    place: Place,
    verified: Vec<Result<Verified, PushOutcome>>,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let judged = makers::admit(&app.store, verified).await?;
    let (outcomes, submissions) = split(judged);
    let committed = if submissions.is_empty() {
        Vec::new()
    } else {
        app.committer.commit(place, submissions).await?
    };
    let response = PushResponse {
        outcomes: join(outcomes, committed)?,
    };
    Ok(([(CONTENT_TYPE, CBOR)], encode(&response)))
}

/// Reads a request.
fn read(body: &[u8]) -> Result<Vec<Transaction>, ApiError> {
    let request: PushRequest = decode(body).map_err(|e| ApiError::Malformed(e.to_string()))?;
    if request.transactions.len() > MAX_PUSH_TRANSACTIONS {
        return Err(ApiError::TooMany(request.transactions.len()));
    }
    Ok(request.transactions)
}

/// Runs what keeps a processor busy on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| ApiError::Internal(e.to_string()))
}

/// What is rejected already (`None` elsewhere), and what is to be committed, in order.
fn split(judged: Vec<Result<Submission, PushOutcome>>) -> (Vec<Option<PushOutcome>>, Vec<Submission>) {
    let mut submissions = Vec::with_capacity(judged.len());
    let outcomes = judged
        .into_iter()
        .map(|judged| judged.map(|submission| submissions.push(submission)).err())
        .collect();
    (outcomes, submissions)
}

fn join(outcomes: Vec<Option<PushOutcome>>, committed: Vec<PushOutcome>) -> Result<Vec<PushOutcome>, ApiError> {
    let mut committed = committed.into_iter();
    outcomes
        .into_iter()
        .map(|outcome| outcome.or_else(|| committed.next()))
        .collect::<Option<_>>()
        .ok_or_else(|| ApiError::Internal("BUG: a transaction was committed without an outcome".to_owned()))
}
