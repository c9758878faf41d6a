//! A PostgreSQL cluster that a test may stop and start. Its programs are those of the test run's own cluster.

use std::{
    fs::File,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::{
    folder, postgres,
    server::{end, free_port},
};

/// The superuser, and the system's user who runs the cluster where we are root, whom PostgreSQL refuses.
const USER: &str = "postgres";

/// How long it may take to start, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is enough for a test. A process that ends without warning loses nothing that it gave to the operating system,
/// so nothing waits for a disk (`fsync`); but what is acknowledged has left the process (`synchronous_commit`).
const SETTINGS: [&str; 8] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=on",
    "shared_buffers=32MB",
    "min_wal_size=4MB",
    "max_wal_size=16MB",
    "autovacuum=on",
];

/// How a cluster is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Transactions under way are rolled back, connections closed, everything written.
    Fast,
    /// Everybody ends at once; the next start recovers from the log.
    Immediate,
}

/// A cluster. Dropping it ends and removes it.
pub struct Cluster {
    process: Option<Child>,
    port: u16,
    programs: PathBuf,
    data: PathBuf,
    /// Its log, and its data unless that is elsewhere.
    folder: TempDir,
}

impl Cluster {
    /// Makes a cluster in memory, or in a folder of the caller's choice, and starts it.
    pub fn start_new(place: Option<&Path>) -> Self {
        let folder = folder::temporary();
        let place = place.unwrap_or(folder.path());
        for owned in [folder.path(), place] {
            give_away(owned);
        }
        let mut cluster = Self {
            process: None,
            port: free_port(),
            programs: postgres::block_on(programs()),
            data: place.join("data"),
            folder,
        };
        cluster.make();
        cluster.start();
        cluster
    }

    fn make(&self) {
        let made = as_server_user(&self.programs.join("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .args(["--wal-segsize=1", &format!("--username={USER}"), "--pgdata"])
            .arg(&self.data)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Starts it again.
    pub fn start(&mut self) {
        assert!(!self.lives(), "PostgreSQL runs already");
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.expect("a log file");
        let mut command = as_server_user(&self.programs.join("postgres"));
        command.arg("-D").arg(&self.data).args(["-p", &self.port.to_string()]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(
            command
                .spawn()
                .expect("setpriv (Debian's util-linux) starts PostgreSQL"),
        );
        let begun = Instant::now();
        while !self.is_ready() {
            assert!(
                self.lives() && begun.elapsed() < PATIENCE,
                "PostgreSQL does not start:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it. Nothing to do if it has ended by itself.
    pub fn stop(&mut self, how: Stop) {
        let Some(process) = self.process.take() else { return };
        let signal = match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        };
        assert!(
            end(process, signal, PATIENCE),
            "PostgreSQL does not end:\n{}",
            self.said()
        );
    }

    /// True while it runs.
    pub fn lives(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|p| p.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass();
        options.host("127.0.0.1").port(self.port).username(USER).database(USER)
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Looks where `pg_ctl` looks: the first line is the process, the eighth its state.
    fn is_ready(&self) -> bool {
        let state = std::fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let lines: Vec<&str> = state.lines().map(str::trim).collect();
        let id = self.process.as_ref().map(|p| p.id().to_string());
        lines.first().copied() == id.as_deref() && lines.get(7) == Some(&"ready")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop(Stop::Immediate);
    }
}

/// The folder of PostgreSQL's server programs.
async fn programs() -> PathBuf {
    let mut connection = PgConnection::connect_with(&postgres::cluster())
        .await
        .expect("the test run's PostgreSQL answers");
    let folder: String = sqlx::query_scalar("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        .fetch_one(&mut connection)
        .await
        .expect("a superuser may see where PostgreSQL is");
    folder.into()
}

/// True if this process may do everything.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A program, run by a user whom PostgreSQL accepts, that ends when we end.
fn as_server_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT");
    if is_root() {
        command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--init-groups"]);
    }
    command.arg(program);
    command
}

/// Lets the server's user write into a folder.
fn give_away(folder: &Path) {
    if is_root() {
        let done = Command::new("chown").arg(format!("{USER}:")).arg(folder).status();
        assert!(
            done.is_ok_and(|s| s.success()),
            "there is no user `{USER}`, as whom root could run PostgreSQL"
        );
    }
}
