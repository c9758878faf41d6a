//! The sync server: see `sync-server --help`.

use std::process::ExitCode;

use clap::Parser;
use holdfast_server::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
