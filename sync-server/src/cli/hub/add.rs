//! `sync-server hub add`.

use anyhow::ensure;
use sha2::{Digest, Sha256};

use crate::{
    cli::StoreOptions,
    hex,
    store::{now, random},
};

/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// Makes a hub known and prints its token, which is shown only this once.
///
/// Whoever has the token can read everything and knows everybody's password hash: keep it as you keep a backup.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// What people call the hub, such as its ward.
    name: String,
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let name = options.name.trim();
    ensure!(
        !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control),
        "a hub's name has 1 to {MAX_NAME} characters"
    );
    let store = options.store.open_own().await?;
    let token: [u8; 32] = random::bytes();
    let added = store.add_hub(name, Sha256::digest(token).into(), now()).await?;
    ensure!(
        added,
        "there is a hub {name} already: choose another name, or lock it out first with `sync-server hub revoke`"
    );
    eprintln!(
        "The token of {name} follows; it is shown only now. Put it into a file that only the hub's user can read."
    );
    println!("{}", hex::encode(&token));
    Ok(())
}
