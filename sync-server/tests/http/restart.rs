//! The binary: what was acknowledged survives `kill -9`; SIGTERM ends it in good order.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use holdfast_core::protocol::PushOutcome;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Database, Device};

/// A server process.
struct Served {
    process: Child,
    url: String,
    log: BufReader<ChildStderr>,
}

fn server(arguments: &[&str], store: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sync-server"));
    command
        .args(arguments)
        .args(store)
        .env_remove("RUST_LOG")
        .env_remove("HOLDFAST_DATABASE");
    command
}

impl Served {
    fn start(store: &[String]) -> Self {
        let mut process = server(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"], store)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let url = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended");
            if let Some((_, url)) = line.split_once("serving on ") {
                break url.split('"').next().unwrap().to_owned();
            }
        };
        Self { process, url, log }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends SIGTERM; returns the rest of the log.
    fn terminate(mut self) -> String {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        rest
    }
}

/// Makes `ada` with the password `long enough`.
pub fn add_user(store: &[String]) {
    let arguments =
        "user add ada --role admin --first-name Ada --last-name Berg --email ada@x.example --password-stdin";
    let arguments: Vec<_> = arguments.split(' ').collect();
    let run = |mut command: Command| {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"long enough\n").unwrap();
        child.wait_with_output().unwrap()
    };
    let output = run(server(&arguments, store));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = run(server(&arguments, store));
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("belongs to another user"));
    let list = server(&["user", "list"], store).output().unwrap();
    assert!(String::from_utf8_lossy(&list.stdout).contains("ada"), "{list:?}");
}

fn killed_and_restarted(store: &[String]) {
    add_user(store);
    let first = Served::start(store);
    let mut device = Device::new(&first.url);
    assert_eq!(device.sign_in("ada", "long enough").status, 200);
    let (_, kept) = device.new_patient("P-1");
    let PushOutcome::Accepted { seq, .. } = device.push(&kept.transaction) else {
        panic!("it was rejected")
    };
    first.kill();

    let second = Served::start(store);
    device.url.clone_from(&second.url);
    let again = device.push(&kept.transaction);
    assert!(
        matches!(again, PushOutcome::Accepted { seq: same, .. } if same == seq),
        "{again:?}"
    );
    let (_, next) = device.new_patient("P-2");
    let after = device.push(&next.transaction);
    assert!(
        matches!(after, PushOutcome::Accepted { seq: place, .. } if place == seq.next()),
        "{after:?}"
    );
    assert_eq!(device.pull(seq.0 - 1, 10).entries.len(), 2);
    let mut told = crate::live::listen(&device);
    assert_eq!(told.next(), Some(seq.0 + 1));
    let log = second.terminate();
    assert_eq!(told.next(), None, "the live channel was closed");
    assert!(log.contains("\"message\":\"ended\""), "{log}");
    assert!(
        !log.contains("long enough") && !log.contains(&device.token),
        "no secrets in logs"
    );
}

fn folder(path: &Path) -> [String; 2] {
    ["--data".to_owned(), path.join("data").display().to_string()]
}

#[test]
fn sqlite_keeps_what_was_acknowledged_when_the_server_is_killed() {
    let temporary = TempDir::new().unwrap();
    killed_and_restarted(&folder(temporary.path()));
}

#[test]
fn postgres_keeps_what_was_acknowledged_when_the_server_is_killed() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::create());
    killed_and_restarted(&["--database".to_owned(), database.url()]);
    runtime.block_on(database.drop_it());
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let temporary = TempDir::new().unwrap();
    for (arguments, words) in [
        (vec!["serve", "--app", "/nowhere"], "no built ward app"),
        (vec!["serve", "--database", "mysql://x"], "postgres://"),
        (vec!["serve", "--listen", "203.0.113.1:1"], "listening on"),
        (
            vec!["user", "password", "nobody", "--password-stdin"],
            "there is no user nobody",
        ),
    ] {
        let output = server(&arguments, &folder(temporary.path())).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(words), "{said}");
    }
}
