//! A throw-away PostgreSQL cluster: made in a temporary folder, on a free port, gone when dropped.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::console::Console;
use crate::interrupt::{self, Interrupted};
use crate::process::{Program, Running};
use crate::setup::find_program;

/// The user who runs it when we are root, whom PostgreSQL refuses. Debian's package makes this user.
const USER: &str = "postgres";

/// How often to try another port, should somebody take ours before PostgreSQL does.
const ATTEMPTS: usize = 5;

/// What a crash of the machine may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// Everything; fast. For tests.
    None,
    /// Nothing, as in a hospital. For measurements.
    Full,
}

/// A running cluster. Dropping it stops the server and removes its folder.
pub struct Cluster {
    server: Running,
    port: u16,
    // Dropped after the server, which `Drop` stops first.
    _folder: TempDir,
}

/// The folder of PostgreSQL's server programs.
pub fn programs() -> Option<PathBuf> {
    let initdb = find_program(&["initdb"], &debian_folders())?;
    // A link in PATH leads to where the other programs are.
    Some(initdb.canonicalize().ok()?.parent()?.to_owned()).filter(|folder| folder.join("postgres").exists())
}

/// `/usr/lib/postgresql/*/bin`, newest version first.
fn debian_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

impl Cluster {
    /// Makes and starts a cluster.
    pub fn start(console: &Console, durability: Durability) -> Result<Self> {
        let programs = programs().context("PostgreSQL's server programs are missing: install `postgresql`")?;
        let folder = tempfile::Builder::new()
            .prefix("holdfast-postgres-")
            .tempdir_in(place(durability));
        let folder = folder.context("making a temporary folder for PostgreSQL")?;
        give_away(folder.path())?;
        let data = folder.path().join("data");
        as_server_user(&programs.join("initdb"))
            .args([
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .folder(folder.path())
            .run(console)?;
        for _ in 0..ATTEMPTS {
            let port = free_port()?;
            let log = folder.path().join("log");
            let mut server = start_server(&programs, folder.path(), port, durability)?
                .log_to(&log)?
                .start()?;
            if wait_until_ready(&mut server, &data)? {
                return Ok(Self {
                    server,
                    port,
                    _folder: folder,
                });
            }
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            if !log.contains("Address already in use") {
                bail!("PostgreSQL did not start:\n{log}");
            }
        }
        bail!("PostgreSQL found no free port in {ATTEMPTS} attempts")
    }

    /// How to connect to it.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's "fast shutdown": clients are cut off.
        self.server.stop(Signal::SIGINT);
    }
}

/// Lets the server's user write into `folder`.
fn give_away(folder: &Path) -> Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let user = nix::unistd::User::from_name(USER).context("looking for PostgreSQL's user")?;
    let user =
        user.with_context(|| format!("there is no user `{USER}`, as whom root could run PostgreSQL: add one"))?;
    chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
        .with_context(|| format!("giving {} to `{USER}`", folder.display()))
}

/// `program`, run by a user whom PostgreSQL accepts, ending when we end, however that is.
fn as_server_user(program: &Path) -> Program {
    let mut wrapped = Program::new("setpriv").arg("--pdeathsig=INT");
    if geteuid().is_root() {
        wrapped = wrapped.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--init-groups"]);
    }
    wrapped.arg(program).advice("install util-linux, which has `setpriv`")
}

/// A cluster that may forget lives in memory where there is room: each test makes databases of its own, ten times faster there.
fn place(durability: Durability) -> &'static str {
    const ROOM: u64 = 2 << 30;
    let memory = Path::new("/dev/shm");
    let roomy = Command::new("df")
        .args(["--output=avail", "--block-size=1"])
        .arg(memory)
        .output()
        .ok()
        .and_then(|answer| {
            String::from_utf8(answer.stdout)
                .ok()?
                .lines()
                .nth(1)?
                .trim()
                .parse::<u64>()
                .ok()
        })
        .is_some_and(|free| free >= ROOM);
    if durability == Durability::None && roomy {
        "/dev/shm"
    } else {
        "/tmp"
    }
}

fn start_server(programs: &Path, folder: &Path, port: u16, durability: Durability) -> Result<Program> {
    let folder_name = folder.to_str().context("the temporary folder's name is not UTF-8")?;
    let durable = if durability == Durability::Full { "on" } else { "off" };
    let settings = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={folder_name}"),
        "max_connections=200".to_owned(),
        "shared_buffers=256MB".to_owned(),
        "wal_level=minimal".to_owned(),
        "max_wal_senders=0".to_owned(),
        format!("fsync={durable}"),
        format!("synchronous_commit={durable}"),
        format!("full_page_writes={durable}"),
    ];
    let mut program = as_server_user(&programs.join("postgres"))
        .arg("-D")
        .arg(folder.join("data"));
    for setting in settings {
        program = program.args(["-c", &setting]);
    }
    Ok(program.folder(folder))
}

/// Whether the server came up; `false` if it ended instead.
fn wait_until_ready(server: &mut Running, data: &Path) -> Result<bool> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while Instant::now() < deadline {
        if interrupt::requested() {
            bail!(Interrupted);
        }
        if server.ended()?.is_some() {
            return Ok(false);
        }
        // The file that PostgreSQL's own pg_ctl looks at: the eighth line is the state.
        let state = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("PostgreSQL did not become ready within a minute")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr().context("looking for a free port")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::used_underscore_binding,
        reason = "the folder is only ever dropped, except here"
    )]
    fn a_cluster_answers_and_is_gone_afterwards() {
        let cluster = Cluster::start(&Console::new(false), Durability::None).unwrap();
        let (port, folder) = (cluster.port, cluster._folder.path().to_owned());
        assert!(cluster.url().contains(&port.to_string()));
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        drop(cluster);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!folder.exists());
    }
}
