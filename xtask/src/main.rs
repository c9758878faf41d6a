//! The project's build tool. `cargo xtask run` starts a hospital, `cargo xtask test` tests everything; both set up what
//! is missing on the machine first.

mod bench;
mod console;
mod faults;
mod generate;
mod interrupt;
mod postgres;
mod process;
mod project;
mod run;
mod server;
mod setup;
mod simulate;
mod stamp;
mod test;
mod tidy;
mod wasm;
mod watch;
mod web;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::interrupt::Interrupted;
use crate::process::ProgramFailed;
use crate::project::Project;
use crate::wasm::Size;

/// Builds, runs and tests Holdfast. Needs Rust and Node.js; sets up all else by itself.
#[derive(Parser, Debug)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    /// Shows every line that the programs print, instead of one line for each step.
    #[arg(long, short, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Sets up, builds and starts the server with a demo hospital in it.
    Run(run::Options),
    /// Sets up and builds everything as it is shipped, without starting it.
    Build,
    /// Sets up and runs every check and test; the last line counts them.
    Test(test::Options),
    /// Checks what the compiler doesn't: licences, file sizes, leftovers, links.
    Tidy,
    /// Writes the files that follow from core's schema.
    Generate {
        /// Writes nothing; fails if a file differs from what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Builds the engine for WebAssembly into the app's sources.
    Engine {
        /// Leaves out making it small, which takes a minute.
        #[arg(long)]
        fast: bool,
    },
    /// Measures speed and size, beside other engines and what the machine can do, and writes docs/benchmarks.md.
    Bench(bench::Options),
    /// Lets the real server, its database, disk and network fail under load and counts what is lost: `[--kills 100]
    /// [--on sqlite|postgres] [NAME…]`.
    Faults {
        /// Which faults, where, and how often. All faults, everywhere, a hundred times if not given.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Drives simulated devices and a server through faulty weeks: `--seeds 100000 [--from N] [--minutes M]`.
    Simulate {
        /// Which seeds, and how long.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("\ninterrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<ExitCode> {
    interrupt::install()?;
    let project = Project::find(arguments.verbose)?;
    let result = match &arguments.command {
        Command::Run(options) => run::run(&project, options),
        Command::Build => run::build(&project).map(drop),
        Command::Test(options) => return test::run(&project, options),
        Command::Tidy => tidy::run(&project),
        Command::Generate { check } => generate::run(&project, *check),
        Command::Engine { fast } => {
            let size = if *fast { Size::AsBuilt } else { Size::Small };
            run::engine(&project, size)
        }
        Command::Bench(options) => bench::run(&project, options),
        Command::Faults { arguments } => faults::run(&project, arguments),
        Command::Simulate { arguments } => simulate::run(&project, arguments),
    };
    if let Err(error) = &result
        && let Some(failed) = error.downcast_ref::<ProgramFailed>()
    {
        project.console.failed_output(&failed.lines);
    }
    result.map(|()| ExitCode::SUCCESS)
}
