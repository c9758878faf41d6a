//! `sync-server device list`.

use crate::{cli::StoreOptions, store::Device};

/// Lists all devices, oldest first: id, since when, state, name, who signed in on it.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let devices = options.store.open().await?.devices().await?;
    let width = devices.iter().map(|(d, _)| d.name.chars().count()).max().unwrap_or(0);
    for (device, users) in &devices {
        println!(
            "{}  {}  {:7}  {:width$}  {}",
            device.id,
            device.registered_at,
            state(device),
            device.name,
            users.join(", ")
        );
    }
    println!("{} devices", devices.len());
    Ok(())
}

fn state(device: &Device) -> &'static str {
    match device.revoked_at {
        Some(_) => "revoked",
        None => "active",
    }
}
