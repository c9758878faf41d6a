//! The command line: one file per command.

mod demo;
mod device;
mod export;
mod hub;
mod import;
mod logging;
mod serve;
mod store;
mod user;
mod validate;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use store::StoreOptions;

const EXAMPLES: &str = "\
Examples:
  sync-server serve                                   a server for this machine, with its data in ./data
  sync-server serve --listen 0.0.0.0:8080 --app web/dist --database postgres://holdfast@db/hospital
  sync-server user add ada --role admin --first-name Ada --last-name Berg --email ada@hospital.example
  sync-server help serve                              all about one command";

/// Holdfast's sync server: keeps a hospital's devices in step and its tables up to date.
#[derive(Parser, Debug)]
#[command(name = "sync-server", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Serve(serve::Options),
    Demo(demo::Options),
    Import(import::Options),
    Export(export::Options),
    Validate(validate::Options),
    Verify(verify::Options),
    User(user::Options),
    Device(device::Options),
    Hub(hub::Options),
}

impl Cli {
    /// Carries the command out. Errors are told on standard error, with what led to them.
    pub fn run(self) -> ExitCode {
        logging::start(match &self.command {
            Command::Serve(options) => options.log_format,
            _ => logging::Format::Text,
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let result = match runtime {
            Ok(runtime) => runtime.block_on(self.command.run()),
            Err(error) => Err(anyhow::Error::new(error).context("starting the runtime")),
        };
        match result {
            Ok(code) => code,
            Err(error) => {
                eprintln!("sync-server: {error:#}");
                ExitCode::FAILURE
            }
        }
    }
}

impl Command {
    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(options) => serve::run(options).await,
            Self::User(options) => user::run(options).await,
            Self::Device(options) => device::run(options).await,
            Self::Hub(options) => hub::run(options).await,
            Self::Demo(options) => demo::run(options).await,
            Self::Import(options) => import::run(options).await,
            Self::Export(options) => export::run(options).await,
            Self::Validate(options) => validate::run(options).await,
            Self::Verify(options) => Ok(verify::run(options).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
