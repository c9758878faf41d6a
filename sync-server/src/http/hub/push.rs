//! `POST /v1/hub/push`: what the devices of a ward gave to its hub.
//!
//! A hub vouches for nothing: each transaction is signed by a device that the hospital's server knows, and its maker must have
//! signed in there. Nothing is taken of a device that was locked out.

use std::collections::HashMap;

use axum::{body::Body, extract::State, http::HeaderMap, response::IntoResponse};
use holdfast_core::{
    ids::DeviceId,
    transaction::{DeviceKey, Transaction},
};

use super::auth::FromHub;
use crate::{
    http::{
        ApiError, App,
        push::{self, NotTaken, verify_all},
    },
    store::{Device, Store, StoreError},
};

pub(super) async fn handle(
    State(app): State<App>,
    who: FromHub,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, ApiError> {
    let (place, transactions) = push::receive(&app, who.counts_as(), &headers, body).await?;
    let makers = makers(&app.store, &transactions).await?;
    let count = transactions.len();
    let verify = move |threads| verify_all(transactions, &|id| may_send(&makers, id), threads);
    let verified = app.processors.verify(count, verify).await?;
    tracing::debug!(
        hub = who.0.name,
        transactions = verified.len(),
        "a hub passes on what its devices did"
    );
    push::answer(&app, place, verified).await
}

/// A device that is known, and its key.
type Maker = (Device, DeviceKey);

/// The devices that made these transactions, as far as they are known.
async fn makers(store: &Store, transactions: &[Transaction]) -> Result<HashMap<DeviceId, Maker>, StoreError> {
    let mut devices = HashMap::new();
    for body in transactions.iter().filter_map(|transaction| transaction.body().ok()) {
        if !devices.contains_key(&body.device)
            && let Some(device) = store.device(body.device).await?
        {
            let key = DeviceKey::new(&device.public_key);
            devices.insert(body.device, (device, key));
        }
    }
    Ok(devices)
}

/// Nothing can be said for good of what a device made that is not known: this server was put back to a backup of before the
/// device's first sign-in, and will know it again.
fn may_send(makers: &HashMap<DeviceId, Maker>, id: DeviceId) -> Result<&DeviceKey, NotTaken> {
    match makers.get(&id) {
        None => Err(NotTaken::Yet),
        Some((device, _)) if device.revoked_at.is_some() => Err(NotTaken::Ever(
            "device_revoked",
            "The device was locked out before its hub had passed this on.",
        )),
        Some((_, key)) => Ok(key),
    }
}
