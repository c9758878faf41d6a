//! `sync-server hub revoke`.

use anyhow::{Context, bail};

use crate::{cli::StoreOptions, store::now};

/// Locks a hub out: nothing is taken from it and nothing given to it any more.
///
/// What it has passed on stays. What it has not passed on comes from the devices, which keep it until they have seen it in
/// the hospital. The name may be added again, with a new token.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// The hub's name: see `hub list`.
    name: String,
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let store = options.store.open_own().await?;
    let hub = store.hubs().await?.into_iter().find(|hub| hub.name == options.name);
    let hub = hub.with_context(|| {
        format!(
            "there is no hub {}: `sync-server hub list` tells which there are",
            options.name
        )
    })?;
    if let Some(since) = hub.revoked_at {
        bail!("{} has been locked out since {since}", hub.name);
    }
    store.revoke_hub(&hub.name, now()).await?;
    println!("{} is locked out", hub.name);
    Ok(())
}
