//! `sync-server serve`.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, ensure};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{StoreOptions, logging::Format};
use crate::{
    http::{Limits, Server, serve},
    store::Store,
    upstream::{self, Address, Link},
};

/// Where a hub's token may be, so that it does not show in the list of processes.
const TOKEN: &str = "HOLDFAST_UPSTREAM_TOKEN";

/// Open files that are no devices' connections: the database's, the app's.
const OTHER_FILES: usize = 200;

const EXAMPLES: &str = "\
Examples:
  sync-server serve
  sync-server serve --listen 0.0.0.0:8080 --app web/dist --log-format json
  HOLDFAST_DATABASE=postgres://holdfast:secret@db/hospital sync-server serve
  sync-server serve --data /var/lib/holdfast --upstream https://central.hospital.example --upstream-token-file /etc/holdfast/token

The server speaks plain HTTP: put a proxy with TLS in front of it wherever it leaves the machine. SIGTERM and Ctrl-C end
it in good order; what was acknowledged is never lost, even by a power cut. /health and /ready tell how it is.

With --upstream it is the hub of a ward: it keeps a copy of the hospital, lets the ward go on while the link to the hospital's
server is down, and passes everything on when it is back. `sync-server hub add NAME`, run at the hospital's server, prints the
token that a hub needs.";

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
    /// Be the hub of a ward: the address of the hospital's server, `https://HOST`.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "database",
        help_heading = "Options of a ward's hub"
    )]
    upstream: Option<String>,
    /// The file with the hub's token; without it the token is in the environment, in `HOLDFAST_UPSTREAM_TOKEN`.
    #[arg(
        long,
        value_name = "FILE",
        requires = "upstream",
        help_heading = "Options of a ward's hub"
    )]
    upstream_token_file: Option<PathBuf>,
    /// Certificates (PEM) of the authority that the hospital's server is to be trusted by, in place of the public ones.
    #[arg(
        long,
        value_name = "FILE",
        requires = "upstream",
        help_heading = "Options of a ward's hub"
    )]
    upstream_ca: Option<PathBuf>,
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
    let address = upstream_address(&options)?;
    let mut stop = Box::pin(signals()?);
    let store = options.store.open().await?;
    let link = tokio::select! {
        link = link(&store, address.as_ref(), &options) => link?,
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    };
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
            link,
        },
        listener,
        stop,
    )
    .await?;
    tracing::info!("ended");
    Ok(ExitCode::SUCCESS)
}

/// A hub's link; `None` where no address is given.
async fn link(store: &Store, address: Option<&Address>, options: &Options) -> anyhow::Result<Option<Arc<Link>>> {
    if let Some(address) = address {
        let started = upstream::start(store, address).await;
        return Ok(Some(
            started.with_context(|| format!("being a hub of {}", address.url))?,
        ));
    }
    ensure!(
        store.hub().await?.is_none(),
        "{} is that of a ward's hub: start it with --upstream URL",
        options.store.describe()
    );
    Ok(None)
}

/// Where the hospital's server is, for a hub.
fn upstream_address(options: &Options) -> anyhow::Result<Option<Address>> {
    let Some(url) = &options.upstream else { return Ok(None) };
    let token = match &options.upstream_token_file {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("reading the hub's token in {}", file.display()))?
        }
        None => std::env::var(TOKEN).with_context(|| {
            format!("--upstream needs the hub's token: give --upstream-token-file FILE, or set {TOKEN}")
        })?,
    };
    Ok(Some(Address {
        url: url.clone(),
        token,
        ca: options.upstream_ca.clone(),
    }))
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
