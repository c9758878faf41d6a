//! The real server: the `sync-server` binary in a process of its own, on SQLite or PostgreSQL.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use holdfast_core::ids::{Seq, TransactionId};
use holdfast_server::store::Location;
use sqlx::Connection as _;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    contents::{Compared, Contents},
    folder,
    http::{Client, Question},
    networks::{self, Machine},
    postgres::{self, Database},
};

/// Where servers are unless a test says otherwise.
const LOCAL: &str = "127.0.0.1";

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

impl Kind {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A server and its data. Dropping it ends the process at once and removes the data.
pub struct Server {
    process: Option<Child>,
    host: String,
    port: u16,
    /// A process in whose network it runs, if not in ours.
    network: Option<u32>,
    folder: TempDir,
    data: PathBuf,
    database: Option<Arc<Database>>,
    arguments: Vec<String>,
}

impl Server {
    /// A place for a server's data; nothing runs yet.
    pub fn prepare(kind: Kind) -> Self {
        Self::prepare_in(kind, folder::temporary())
    }

    /// The same in a folder of the caller's choice: measurements want a real disk.
    pub fn prepare_in(kind: Kind, folder: TempDir) -> Self {
        Self::with(folder, (kind == Kind::Postgres).then(Database::create))
    }

    /// The same in a database of the caller's choice.
    pub fn prepare_on(database: Database) -> Self {
        Self::with(folder::temporary(), Some(database))
    }

    /// Another server on the same database; nothing runs yet.
    #[must_use]
    pub fn beside(&self) -> Self {
        assert!(self.database.is_some(), "only PostgreSQL serves several servers");
        let mut server = Self::with(folder::temporary(), None);
        server.database.clone_from(&self.database);
        server
    }

    /// A server with a SQLite store in a folder of the caller's choice; its log is elsewhere.
    pub fn prepare_with_data_in(data: PathBuf) -> Self {
        let mut server = Self::with(folder::temporary(), None);
        server.data = data;
        server
    }

    fn with(folder: TempDir, database: Option<Database>) -> Self {
        Self {
            process: None,
            host: LOCAL.to_owned(),
            port: free_port(),
            network: None,
            data: folder.path().join("data"),
            folder,
            database: database.map(Arc::new),
            arguments: Vec::new(),
        }
    }

    /// `http://127.0.0.1:…`, unless it is on a machine of its own.
    pub fn address(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets it run on a machine of its own from its next start on, which we reach as `host`.
    pub fn move_to(&mut self, machine: &Machine, host: &str, port: u16) {
        (self.network, self.host, self.port) = (Some(machine.process()), host.to_owned(), port);
    }

    /// Where it keeps its data.
    pub fn location(&self) -> Location {
        match &self.database {
            None => Location::Folder(self.data.clone()),
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
        let (mut command, listen) = match self.network {
            Some(process) => (networks::on(process), "0.0.0.0"),
            None => (Command::new("setpriv"), LOCAL),
        };
        if self.network.is_none() {
            command.arg("--pdeathsig=KILL");
        }
        command.arg(binary());
        command.args(["serve", "--listen", &format!("{listen}:{}", self.port)]);
        self.add_location(&mut command);
        command
            .args(&self.arguments)
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
        let Some(process) = self.process.take() else { return };
        assert!(
            end(process, "TERM", PATIENCE),
            "the server does not end; it said:\n{}",
            self.said()
        );
    }

    /// True while the process runs.
    pub fn lives(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|p| p.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// The process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
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
            None => Contents::of_sqlite(&self.data.join("holdfast.sqlite"), compared),
            Some(database) => postgres::block_on(Contents::of_postgres(&database.url(), compared)),
        }
    }

    /// Every transaction in its stream, in order, read with plain SQL.
    pub fn logged(&self) -> Vec<TransactionId> {
        self.stream().into_iter().map(|(_, id)| id).collect()
    }

    /// The same with their places.
    pub fn stream(&self) -> Vec<(Seq, TransactionId)> {
        let stream: Vec<(i64, Uuid)> = match &self.database {
            None => logged_in_sqlite(&self.data.join("holdfast.sqlite")),
            Some(database) => postgres::block_on(logged_in_postgres(&database.url())),
        };
        let entry = |(seq, id)| (Seq(seq as u64), TransactionId(id));
        stream.into_iter().map(entry).collect()
    }

    /// A folder that is gone with it, beside its data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives `serve` more arguments from its next start on.
    pub fn set_arguments(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(ToString::to_string).collect();
    }

    /// The same beside those that it has.
    pub fn add_arguments(&mut self, arguments: &[&str]) {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
    }

    /// Runs another command of `sync-server` on its store. Returns what it prints; an error is what it says.
    pub fn command(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(binary());
        command.args(arguments);
        self.add_location(&mut command);
        let output = command.output().map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(text(&output.stderr))
    }

    /// Has `sync-server verify` hold the store against its log. An error is what it says.
    pub fn verify(&self) -> Result<(), String> {
        let mut command = Command::new(binary());
        command.args(["verify", "--scratch"]).arg(self.folder.path());
        self.add_location(&mut command);
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(String::from_utf8_lossy(&said).into_owned())
    }

    fn add_location(&self, command: &mut Command) {
        match self.location() {
            Location::Folder(data) => command.arg("--data").arg(data),
            Location::Database(url) => command.args(["--database", &url]),
        };
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
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

fn logged_in_sqlite(file: &Path) -> Vec<(i64, Uuid)> {
    let connection = rusqlite::Connection::open(file).expect("the file opens");
    let mut statement = connection
        .prepare("SELECT seq, id FROM sync_log ORDER BY seq")
        .expect("the log is there");
    let found = statement.query_map([], |row| Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?))));
    found.and_then(Iterator::collect).expect("the log can be read")
}

async fn logged_in_postgres(url: &str) -> Vec<(i64, Uuid)> {
    let mut connection = sqlx::PgConnection::connect(url).await.expect("PostgreSQL answers");
    let found = sqlx::query_as("SELECT seq, id FROM sync.log ORDER BY seq")
        .fetch_all(&mut connection)
        .await;
    found.expect("the log can be read")
}

/// Sends a signal to a process and waits for its end. False if that takes too long.
pub(crate) fn end(mut process: Child, signal: &str, patience: Duration) -> bool {
    let done = Command::new("kill")
        .args(["-s", signal, &process.id().to_string()])
        .status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "a process can be told to end"
    );
    let begun = Instant::now();
    while process.try_wait().expect("the process can be asked").is_none() {
        if begun.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
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

/// A program of this workspace, where cargo puts it: beside this one.
pub(crate) fn beside(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("the test knows its own place");
    let mut folders = this.ancestors().skip(1);
    let folder = folders.find(|folder| !folder.ends_with("deps"));
    folder.expect("a test is in a folder").join(name)
}

fn built_binary() -> PathBuf {
    let path = beside("sync-server");
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
    if path.ancestors().any(|folder| folder.ends_with("release")) {
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
