//! The real server: the `sync-server` binary in a process of its own, on SQLite or PostgreSQL.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

use holdfast_core::ids::TransactionId;
use holdfast_server::store::Location;
use sqlx::Connection as _;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    contents::{Compared, Contents},
    folder,
    http::{Client, Question},
    postgres::{self, Database},
};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a server keeps its data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// In a folder.
    Sqlite,
    /// In a database of its own.
    Postgres,
}

/// A server and its data. Dropping it ends the process at once and removes the data.
pub struct Server {
    process: Option<Child>,
    port: u16,
    folder: TempDir,
    database: Option<Database>,
}

impl Server {
    /// A place for a server's data; nothing runs yet.
    pub fn prepare(kind: Kind) -> Self {
        Self::prepare_in(kind, folder::temporary())
    }

    /// The same in a folder of the caller's choice: measurements want a real disk.
    pub fn prepare_in(kind: Kind, folder: TempDir) -> Self {
        Self {
            process: None,
            port: free_port(),
            folder,
            database: (kind == Kind::Postgres).then(Database::create),
        }
    }

    /// `http://127.0.0.1:…`
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it keeps its data.
    pub fn location(&self) -> Location {
        match &self.database {
            None => Location::Folder(self.data()),
            Some(database) => Location::Database(database.url()),
        }
    }

    /// Starts the process and waits until it is ready. On the thread that lives as long as the server may: the process
    /// ends with it.
    pub fn start(&mut self) {
        self.launch();
        self.wait_until_ready();
    }

    /// Starts the process and waits for nothing.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "the server runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("a log file");
        // Should the test be killed, nobody would end the server.
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=KILL").arg(binary());
        command.args(["serve", "--listen", &format!("127.0.0.1:{}", self.port)]);
        match self.location() {
            Location::Folder(data) => command.arg("--data").arg(data),
            Location::Database(url) => command.args(["--database", &url]),
        };
        command
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let process = command.spawn();
        self.process = Some(process.expect("setpriv (Debian's util-linux) starts the server"));
    }

    /// Waits for `/ready`.
    pub fn wait_until_ready(&mut self) {
        let (http, begun) = (Client::default(), Instant::now());
        let address = format!("{}/ready", self.address());
        loop {
            if http
                .ask(&address, &Question::default())
                .is_ok_and(|answer| answer.status == 200)
            {
                return;
            }
            let ended = self.process.as_mut().and_then(|p| p.try_wait().ok().flatten());
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "the server is not ready ({ended:?}); it said:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the process can be killed");
            process.wait().expect("the process ends");
        }
    }

    /// SIGTERM; it ends in good order.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let done = Command::new("kill").arg(process.id().to_string()).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "the server can be told to end"
        );
        let begun = Instant::now();
        while process.try_wait().expect("the process can be asked").is_none() {
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not end; it said:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// True while the process runs.
    pub fn lives(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|p| p.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// The processor time that it has used, where the system tells.
    pub fn processor_time(&self) -> Option<Duration> {
        let id = self.process.as_ref()?.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 10))
    }

    /// What its tables hold, read with plain SQL.
    pub fn contents(&self, compared: Compared) -> Contents {
        match &self.database {
            None => Contents::of_sqlite(&self.data().join("holdfast.sqlite"), compared),
            Some(database) => postgres::block_on(Contents::of_postgres(&database.url(), compared)),
        }
    }

    /// Every transaction in its stream, in order, read with plain SQL.
    pub fn logged(&self) -> Vec<TransactionId> {
        let ids: Vec<Uuid> = match &self.database {
            None => logged_in_sqlite(&self.data().join("holdfast.sqlite")),
            Some(database) => postgres::block_on(logged_in_postgres(&database.url())),
        };
        ids.into_iter().map(TransactionId).collect()
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }
}

fn logged_in_sqlite(file: &Path) -> Vec<Uuid> {
    let connection = rusqlite::Connection::open(file).expect("the file opens");
    let mut statement = connection
        .prepare("SELECT id FROM sync_log ORDER BY seq")
        .expect("the log is there");
    let found = statement.query_map([], |row| Ok(Uuid::from_bytes(row.get(0)?)));
    found.and_then(Iterator::collect).expect("the log can be read")
}

async fn logged_in_postgres(url: &str) -> Vec<Uuid> {
    let mut connection = sqlx::PgConnection::connect(url).await.expect("PostgreSQL answers");
    let found = sqlx::query_scalar("SELECT id FROM sync.log ORDER BY seq")
        .fetch_all(&mut connection)
        .await;
    found.expect("the log can be read")
}

/// A port that nobody uses just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("the port's number").port()
}

/// The server's binary: `HOLDFAST_SERVER_BIN`, or the one beside this test, built if it is missing or older than its source.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("HOLDFAST_SERVER_BIN") {
        Some(path) => {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "HOLDFAST_SERVER_BIN is no file: {}", path.display());
            path
        }
        None => built_binary(),
    })
}

fn built_binary() -> PathBuf {
    let this = std::env::current_exe().expect("the test knows its own place");
    let folder = this
        .ancestors()
        .skip(1)
        .find(|f| !f.ends_with("deps"))
        .expect("a test is in a folder");
    let path = folder.join("sync-server");
    let age = path.metadata().and_then(|m| m.modified()).ok();
    let sources = ["core/src", "store/src", "sync-server/src"].map(|s| root().join(s));
    if age.is_some_and(|age| sources.iter().all(|source| newest(source) <= age)) {
        return path;
    }
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args([
        "build",
        "--quiet",
        "--package",
        "holdfast-server",
        "--bin",
        "sync-server",
    ]);
    if folder.ends_with("release") {
        build.arg("--release");
    }
    let done = build.current_dir(root()).status();
    assert!(
        done.is_ok_and(|status| status.success()) && path.is_file(),
        "there is no {}: build it with `cargo build -p holdfast-server`, or set HOLDFAST_SERVER_BIN",
        path.display()
    );
    path
}

/// The workspace's folder.
fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the crate is in the workspace")
}

/// When something in a folder was last changed.
fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let times = entries.map(|entry| match entry.path() {
        path if path.is_dir() => newest(&path),
        path => path
            .metadata()
            .and_then(|m| m.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH),
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
