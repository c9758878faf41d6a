//! A hub's start: it belongs to a hospital before it serves anybody.

use std::{sync::Arc, time::Duration};

use super::{Address, HubClient, Link, LinkError, link::on_thread};
use crate::store::{HubStore, Store, StoreError};

/// How long the first start waits before it asks again.
const AGAIN: Duration = Duration::from_secs(5);

/// Why a hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address, the token or the certificates are not right.
    #[error("{0:#}")]
    Address(anyhow::Error),
    /// A hub keeps its data in a folder.
    #[error("a ward's hub keeps its data in a folder: give --data and no --database")]
    Database,
    /// The store is not an empty one, nor this hospital's hub's; or it failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody has to set something right before there can be a first copy.
    #[error("{0}")]
    Link(LinkError),
}

/// Prepares a hub: on its first start it asks which hospital it belongs to, and waits until it is told.
pub async fn start(store: &Store, address: &Address) -> Result<Arc<Link>, StartError> {
    let client = HubClient::new(address).map_err(StartError::Address)?;
    let store = store.as_hub().ok_or(StartError::Database)?;
    let (hospital, complete) = match store.hub().await? {
        Some(hub) => (store.hospital_id().await?, !hub.copying),
        None => (first(&client, &store).await?, false),
    };
    Ok(Link::new(client, store, hospital, complete))
}

async fn first(client: &HubClient, store: &HubStore) -> Result<uuid::Uuid, StartError> {
    let mut told = false;
    let hospital = loop {
        let asking = client.clone();
        match on_thread(move || asking.hospital()).await {
            Ok(hospital) => break hospital,
            Err(error) if error.needs_somebody() => return Err(StartError::Link(error)),
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("{error}: a new hub waits until it is there");
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    };
    let hub = store.become_hub(hospital).await?;
    tracing::info!(%hub, %hospital, "this is a hub of the hospital now");
    Ok(hospital)
}
