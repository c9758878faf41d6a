//! `sync-server user password`.

use anyhow::Context;

use super::prompt;
use crate::cli::StoreOptions;

/// Gives a user another password. The user's sessions end.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// The user's name.
    username: String,
    #[command(flatten)]
    password: prompt::Source,
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let store = options.store.open_own().await?;
    let account = store.account_by_username(&options.username).await?;
    let account = account.with_context(|| format!("there is no user {}", options.username))?;
    let hash = prompt::hash(options.password).await?;
    store.set_password(account.user, &hash).await?;
    let sessions = store.close_sessions_of(account.user).await?;
    println!("{} has a new password; {sessions} sessions ended", account.username);
    Ok(())
}
