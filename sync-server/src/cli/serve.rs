//! `sync-server serve`.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context, ensure};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{StoreOptions, logging::Format};
use crate::http::{Limits, Server, serve};

/// Open files that are no devices' connections: the database's, the app's.
const OTHER_FILES: usize = 200;

const EXAMPLES: &str = "\
Examples:
  sync-server serve
  sync-server serve --listen 0.0.0.0:8080 --app web/dist --log-format json
  HOLDFAST_DATABASE=postgres://holdfast:secret@db/hospital sync-server serve

The server speaks plain HTTP: put a proxy with TLS in front of it wherever it leaves the machine. SIGTERM and Ctrl-C end
it in good order; what was acknowledged is never lost, even by a power cut. /health and /ready tell how it is.";

/// Serves devices (and the ward app, if given its folder) until interrupted.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    /// The address and port to listen on.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    store: StoreOptions,
    /// The folder of the built ward app, served at `/`.
    #[arg(long, value_name = "DIR")]
    app: Option<PathBuf>,
    /// How log lines look.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) log_format: Format,
}

pub(super) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    if let Some(app) = &options.app {
        let page = app.join("index.html");
        ensure!(
            page.is_file(),
            "there is no built ward app: {} is missing",
            page.display()
        );
    }
    let limits = affordable(Limits::default())?;
    let stop = signals()?;
    let store = options.store.open().await?;
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("listening on {}", options.listen))?;
    let address = listener.local_addr()?;
    tracing::info!(store = options.store.describe(), "serving on http://{address}");
    serve(
        Server {
            store,
            app: options.app,
            limits,
        },
        listener,
        stop,
    )
    .await?;
    tracing::info!("ended");
    Ok(ExitCode::SUCCESS)
}

/// As many connections as the operating system allows this process, of which it is asked for all it gives.
fn affordable(mut limits: Limits) -> anyhow::Result<Limits> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, all).context("asking the operating system for open files")?;
    let files = maximum.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    limits.connections = limits.connections.min(files.saturating_sub(OTHER_FILES).max(1));
    Ok(limits)
}

/// Ready when somebody wants the server to end.
fn signals() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("going down");
    })
}
