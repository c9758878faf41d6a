//! `sync-server user list`.

use crate::{cli::StoreOptions, store::Account};

/// Lists all users: name, role, state, full name.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let accounts = options.store.open().await?.accounts().await?;
    let width = accounts.iter().map(|a| a.username.chars().count()).max().unwrap_or(0);
    for account in &accounts {
        println!(
            "{:width$}  {:12}  {:11}  {}",
            account.username,
            account.role,
            state(account),
            account.display_name
        );
    }
    println!("{} users", accounts.len());
    Ok(())
}

fn state(account: &Account) -> &'static str {
    match (account.is_active, &account.password_hash) {
        (false, _) => "inactive",
        (true, None) => "no password",
        (true, Some(_)) => "active",
    }
}
