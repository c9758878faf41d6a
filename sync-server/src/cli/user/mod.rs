//! `sync-server user`: who may sign in.

mod active;
mod add;
mod list;
mod password;
mod prompt;

use std::process::ExitCode;

use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  sync-server user add ada --role admin --first-name Ada --last-name Berg --email ada@hospital.example
  echo \"$PASSWORD\" | sync-server user password ada --password-stdin
  sync-server user deactivate ada
  sync-server user list --database postgres://holdfast@db/hospital

Roles: admin, manager, doctor, nurse, receptionist, cleaner, auditor (reads only).";

/// Adds users, lists them, changes passwords, switches accounts off and on.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Add(add::Options),
    Password(password::Options),
    /// Switches an account off: its sessions end, and nobody signs in with it any more.
    ///
    /// What the person did is taken in even if a device sends it later: see docs/operations.md.
    Deactivate(active::Options),
    /// Switches an account on again.
    Activate(active::Options),
    List(list::Options),
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    match options.command {
        Command::Add(options) => add::run(options).await?,
        Command::Password(options) => password::run(options).await?,
        Command::Deactivate(options) => active::deactivate(options).await?,
        Command::Activate(options) => active::activate(options).await?,
        Command::List(options) => list::run(options).await?,
    }
    Ok(ExitCode::SUCCESS)
}
