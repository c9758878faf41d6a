//! Asks for a password: twice on a terminal without showing it, or once on standard input.

use std::io::Read;

use anyhow::{Context, bail, ensure};

use crate::sign_in::password;

/// Where a password comes from.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct Source {
    /// Read the password from standard input (its first line) instead of asking.
    #[arg(long)]
    password_stdin: bool,
}

/// Asks and returns the password's hash.
pub(super) async fn hash(source: Source) -> anyhow::Result<String> {
    tokio::task::spawn_blocking(move || {
        let password = if source.password_stdin { piped()? } else { asked()? };
        let least = password::MIN_LENGTH;
        ensure!(
            password.chars().count() >= least,
            "the password is too short: it needs at least {least} characters"
        );
        Ok(password::hash(&password))
    })
    .await?
}

fn piped() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("reading the password from standard input")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn asked() -> anyhow::Result<String> {
    let advice = "asking for the password (without a terminal use --password-stdin)";
    let password = rpassword::prompt_password("Password: ").context(advice)?;
    let again = rpassword::prompt_password("The same again: ").context(advice)?;
    if password != again {
        bail!("the two passwords differ");
    }
    Ok(password)
}
