//! `sync-server device revoke`.

use anyhow::{Context, bail, ensure};
use holdfast_core::ids::DeviceId;

use crate::{
    cli::StoreOptions,
    store::{Device, Store, now},
};

/// Locks a device out for good: its sessions end, nothing is taken from it and nothing given to it any more.
///
/// What it has sent before stays. What it has not sent is not taken any more.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// The device's id, or as much of its beginning as no other device's shares: see `device list`.
    device: String,
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let store = options.store.open().await?;
    let (device, users) = find(&store, &options.device).await?;
    // A hub writes nothing itself, and has no key.
    let is_hub = store.hub().await?.is_some();
    ensure!(
        is_hub || device.id != own(&store).await?,
        "{} is the server itself, which signs what imports and this command line write",
        device.id
    );
    if let Some(since) = device.revoked_at {
        bail!("{} has been locked out since {since}", device.id);
    }
    store.revoke_device(device.id, now()).await?;
    println!(
        "{} is locked out: {}, used by {}",
        device.id,
        device.name,
        users.join(", ")
    );
    if is_hub {
        println!("at this hub only: lock it out at the hospital's server, too");
    }
    Ok(())
}

/// The one device whose id begins like this.
async fn find(store: &Store, beginning: &str) -> anyhow::Result<(Device, Vec<String>)> {
    let beginning = beginning.trim().to_ascii_lowercase();
    let all = store.devices().await?;
    let mut found = all
        .into_iter()
        .filter(|(device, _)| !beginning.is_empty() && device.id.to_string().starts_with(&beginning));
    let first = found
        .next()
        .with_context(|| format!("there is no device {beginning}: `sync-server device list` tells which there are"))?;
    let others = found.count();
    ensure!(
        others == 0,
        "the ids of {} devices begin with {beginning}: give more of it",
        others + 1
    );
    Ok(first)
}

async fn own(store: &Store) -> anyhow::Result<DeviceId> {
    let key = store.server_key().await?;
    Ok(DeviceId::of_public_key(&key.verifying_key().to_bytes()))
}
