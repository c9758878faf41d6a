//! `cargo xtask run` and `cargo xtask build`: from a fresh checkout to a running hospital.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use crate::interrupt::{self, Interrupted};
use crate::process::Program;
use crate::project::Project;
use crate::server::{self, Profile};
use crate::setup::packages::{self, Need};
use crate::setup::{Outcome, rust};
use crate::wasm::{self, Size};
use crate::web;

/// How to start the server.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The port to listen on, on this machine only.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// A PostgreSQL database (postgres://…) instead of the embedded SQLite store.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The folder that the server keeps its data in.
    #[arg(long, value_name = "FOLDER", default_value = "data")]
    data: PathBuf,
    /// Starts with an empty database instead of a demo hospital.
    #[arg(long)]
    no_demo: bool,
}

/// Sets up, builds, makes the demo hospital and serves until interrupted.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    ensure_port_is_free(options.port)?;
    let server = build(project)?;
    let data = project.root.join(&options.data);
    if !options.no_demo {
        step(project, "demo hospital", || demo(project, &server, options, &data))?;
    }
    serve(project, &server, options, &data)
}

/// Sets up what is missing and builds all as it is shipped. Returns the server's binary.
pub fn build(project: &Project) -> Result<PathBuf> {
    engine(project, Size::Small)?;
    step(project, "ward app", || web::build(project))?;
    step(project, "server", || server::build(project, Profile::Release))
}

/// Sets up what is missing and builds the engine into the ward app's sources.
pub fn engine(project: &Project, size: Size) -> Result<()> {
    let console = &project.console;
    step(project, "system packages", || {
        packages::ensure(console, &[Need::WasmCompiler])
    })?;
    step(project, "WebAssembly target", || rust::ensure_wasm_target(console))?;
    step(project, "app packages (npm)", || web::packages(project))?;
    step(project, "engine (WebAssembly)", || wasm::build(project, size))?;
    Ok(())
}

/// What a step's result says behind its name.
trait Note {
    fn note(&self) -> &'static str;
}

impl Note for Outcome {
    fn note(&self) -> &'static str {
        Outcome::note(*self)
    }
}

impl Note for PathBuf {
    fn note(&self) -> &'static str {
        ""
    }
}

/// A named step: the first that fails ends the command.
fn step<T: Note>(project: &Project, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if interrupt::requested() {
        bail!(Interrupted);
    }
    project.console.begin(name);
    let result = work();
    project
        .console
        .end(result.is_ok(), result.as_ref().map_or("", Note::note));
    result.with_context(|| format!("the step \"{name}\" failed"))
}

/// Fills an empty store with the demo hospital.
fn demo(project: &Project, server: &Path, options: &Options, data: &Path) -> Result<Outcome> {
    let marker = data.join("demo.stamp");
    // A hospital's own database is nothing to put invented patients into.
    if options.database.is_some() || marker.exists() {
        return Ok(Outcome::UpToDate);
    }
    std::fs::create_dir_all(data).with_context(|| format!("creating {}", data.display()))?;
    let advice = format!("remove {} and start again, or use --no-demo", data.display());
    let ended = Program::new(server)
        .args(["demo", "--data"])
        .arg(data)
        .advice(advice)
        .run(&project.console)?;
    let text = ended.lines.join("\n");
    std::fs::write(&marker, text).with_context(|| format!("writing {}", marker.display()))?;
    Ok(Outcome::Done)
}

fn ensure_port_is_free(port: u16) -> Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map(drop)
        .with_context(|| {
            format!("port {port} is taken on this machine\n      What to do: choose another one with --port")
        })
}

/// Serves until it ends or we are interrupted.
fn serve(project: &Project, server: &Path, options: &Options, data: &Path) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let mut program = Program::new(server).args(["serve", "--data"]).arg(data);
    program = program
        .args(["--listen", &address.to_string(), "--app"])
        .arg(project.app());
    if let Some(database) = &options.database {
        program = program.args(["--database", database]);
    }
    let mut running = program.start()?;
    let mut announced = false;
    loop {
        if interrupt::requested() {
            project.console.say("\n  stopping …");
            running.stop(Signal::SIGTERM);
            return Ok(());
        }
        if let Some(status) = running.ended()? {
            bail!("the server ended ({status}); its last lines above say why");
        }
        if !announced && TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
            announce(project, options, data);
            announced = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Says where to look and who may sign in.
fn announce(project: &Project, options: &Options, data: &Path) {
    let console = &project.console;
    console.say(&format!(
        "\n  Holdfast is at http://localhost:{}  (Ctrl-C stops it)",
        options.port
    ));
    if options.database.is_none() && !options.no_demo {
        // What the demo command printed when it made the hospital.
        let told = std::fs::read_to_string(data.join("demo.stamp")).unwrap_or_default();
        told.lines().for_each(|line| console.say(&format!("  {line}")));
    }
    console.say("");
}
