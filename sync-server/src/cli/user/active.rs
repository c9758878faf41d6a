//! `sync-server user deactivate` and `sync-server user activate`.

use anyhow::{Context, bail};
use holdfast_core::{
    ids::RowId,
    row::{ColumnEdit, ColumnEditKind, RowAction, RowWrite},
    schema::Schema,
};

use crate::{
    cli::StoreOptions,
    store::{Account, Store},
    writer::{OPERATOR, Writer},
};

/// Whose account.
#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// The user's name.
    username: String,
    #[command(flatten)]
    store: StoreOptions,
}

pub(super) async fn deactivate(options: Options) -> anyhow::Result<()> {
    let store = options.store.open_own().await?;
    let account = change(&store, &options.username, false).await?;
    let sessions = store.close_sessions_of(account.user).await?;
    println!("{} is not active any more; {sessions} sessions ended", account.username);
    Ok(())
}

pub(super) async fn activate(options: Options) -> anyhow::Result<()> {
    let store = options.store.open_own().await?;
    let account = change(&store, &options.username, true).await?;
    println!("{} is active", account.username);
    Ok(())
}

/// Writes `users.is_active` as a transaction of the server's own device, so that every device learns of it.
async fn change(store: &Store, username: &str, active: bool) -> anyhow::Result<Account> {
    let account = store.account_by_username(username).await?;
    let account = account.with_context(|| format!("there is no user {username}"))?;
    if account.is_active == active {
        bail!("{username} is {} already", if active { "active" } else { "inactive" });
    }
    let users = Schema::hospital().expect("users");
    let edit = ColumnEdit {
        column: users.expect("is_active").id,
        kind: ColumnEditKind::Set {
            value: active.into(),
            seen: None,
        },
    };
    let write = RowWrite {
        table: users.id,
        row: RowId(account.user.0),
        action: RowAction::Edit(vec![edit]),
    };
    let command = if active { "activateUser" } else { "deactivateUser" };
    let mut writer = Writer::new(store, OPERATOR).await?;
    writer.write_one(command, vec![write]).await??;
    Ok(account)
}
