//! `sync-server hub list`.

use crate::{cli::StoreOptions, store::KnownHub};

/// Lists all hubs: name, state, since when, when it was last heard of.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let hubs = options.store.open_own().await?.hubs().await?;
    let width = hubs.iter().map(|hub| hub.name.chars().count()).max().unwrap_or(0);
    for hub in &hubs {
        let seen = hub
            .seen_at
            .map_or_else(|| "never heard of".to_owned(), |at| format!("last heard of {at}"));
        println!("{:width$}  {:7}  added {}  {seen}", hub.name, state(hub), hub.added_at);
    }
    println!("{} hubs", hubs.len());
    Ok(())
}

fn state(hub: &KnownHub) -> &'static str {
    match hub.revoked_at {
        Some(_) => "revoked",
        None => "active",
    }
}
