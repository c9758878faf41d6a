//! `sync-server hub`: the hubs of wards, at the hospital's server.

mod add;
mod list;
mod revoke;

use std::process::ExitCode;

use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  sync-server hub add ward-3                          prints the token that the hub needs, once
  sync-server hub list --database postgres://holdfast@db/hospital
  sync-server hub revoke ward-3                       a hub that was stolen, or is not used any more

The hub itself is started with `sync-server serve --upstream URL`: see `sync-server help serve`.";

/// Adds hubs of wards, lists them, locks them out.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Add(add::Options),
    List(list::Options),
    Revoke(revoke::Options),
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    match options.command {
        Command::Add(options) => add::run(options).await?,
        Command::List(options) => list::run(options).await?,
        Command::Revoke(options) => revoke::run(options).await?,
    }
    Ok(ExitCode::SUCCESS)
}
