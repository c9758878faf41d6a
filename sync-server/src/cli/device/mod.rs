//! `sync-server device`: which devices there are, and locking out those that are lost.

mod list;
mod revoke;

use std::process::ExitCode;

use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  sync-server device list
  sync-server device revoke 3f2a                      the device whose id begins like this
  sync-server device list --database postgres://holdfast@db/hospital";

/// Lists devices, locks lost ones out.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    List(list::Options),
    Revoke(revoke::Options),
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    match options.command {
        Command::List(options) => list::run(options).await?,
        Command::Revoke(options) => revoke::run(options).await?,
    }
    Ok(ExitCode::SUCCESS)
}
