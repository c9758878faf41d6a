//! samod, driven with the same rows as Holdfast: `holdfast-peer-samod ROWS.json CHANGES` prints seconds and bytes as JSON.
//!
//! ```text
//!  laptop (files) ── TCP ──► counter ──► server (files, a process of its own) ◄── TCP ── tablet (files)
//! ```

use std::{
    error::Error,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use automerge::{Automerge, ROOT, transaction::Transactable};
use futures::future::join_all;
use samod::{
    BackoffConfig, ConnectionId, DocHandle, DocumentId, Repo, Transport, storage::TokioFilesystemStorage,
    tokio_io::TcpDialer,
};
use serde_json::{Map, Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
};
use url::Url;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", folder] => serve(Path::new(folder)).await,
        [rows, changes] => {
            let rows: Vec<Map<String, Json>> = serde_json::from_slice(&std::fs::read(rows)?)?;
            println!("{}", measure(&rows, changes.parse()?).await?);
            Ok(())
        }
        _ => Err("usage: holdfast-peer-samod ROWS.json CHANGES".into()),
    }
}

/// A sync server: says its port and serves until it is ended.
async fn serve(folder: &Path) -> Result<()> {
    let repo = open(folder).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    println!("{port}");
    let acceptor = repo.make_acceptor(Url::parse(&format!("tcp://127.0.0.1:{port}"))?)?;
    let mut connections = Vec::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        connections.push(acceptor.accept(Transport::from_tokio_io(stream))?);
    }
}

async fn open(folder: &Path) -> Repo {
    let storage = TokioFilesystemStorage::new(folder);
    Repo::build_tokio().with_storage(storage).load().await
}

/// Ends with its owner.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse()?;
        Ok(Self { process, port })
    }

    /// The most memory that it has held. Bytes.
    fn memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .ok_or("no memory is told")?;
        Ok(number.trim().parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

async fn measure(rows: &[Map<String, Json>], changes: usize) -> Result<Json> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&folder.path().join("server"))?;
    let (port, bytes) = count(server.port).await?;

    eprintln!("  samod: {} rows", rows.len());
    let laptop = open(&folder.path().join("laptop")).await;
    let begun = Instant::now();
    let mut documents = Vec::with_capacity(rows.len());
    for row in rows {
        documents.push(laptop.create(document(row)?).await?);
    }
    let write = begun.elapsed();

    let begun = Instant::now();
    let connection = dial(&laptop, port).await?;
    they_have(&documents, connection).await;
    let push = begun.elapsed();
    let ids: Vec<DocumentId> = documents
        .iter()
        .map(|document| document.document_id().clone())
        .collect();

    let tablet = open(&folder.path().join("tablet")).await;
    let begun = Instant::now();
    let tablets_connection = dial(&tablet, server.port).await?;
    let copied = find(&tablet, &ids).await?;
    let pull = begun.elapsed();

    drop(documents);
    laptop.stop().await;
    let laptop = open(&folder.path().join("laptop")).await;
    let documents = find(&laptop, &ids).await?;
    let (mine, others) = (0..changes, changes..2 * changes);
    mine.clone().try_for_each(|place| change(&documents[place]))?;
    others.clone().try_for_each(|place| change(&copied[place]))?;
    they_have(&copied[others.clone()], tablets_connection).await;
    let news: Vec<_> = copied[others.clone()].iter().map(heads).collect();
    let (before, begun) = (bytes.load(Ordering::Relaxed), Instant::now());
    let connection = dial(&laptop, port).await?;
    they_have(&documents[mine], connection).await;
    for (document, wanted) in documents[others].iter().zip(news) {
        while heads(document) != wanted {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
    let reconnect = begun.elapsed();
    Ok(json!({
        "write": write.as_secs_f64(), "push": push.as_secs_f64(), "pull": pull.as_secs_f64(),
        "reconnect": reconnect.as_secs_f64(), "reconnectBytes": bytes.load(Ordering::Relaxed) - before,
        "memory": server.memory()?,
    }))
}

fn document(row: &Map<String, Json>) -> Result<Automerge> {
    let mut document = Automerge::new();
    let mut transaction = document.transaction();
    for (name, value) in row {
        match value {
            Json::String(text) => transaction.put(ROOT, name, text.as_str())?,
            other => transaction.put(ROOT, name, other.to_string())?,
        }
    }
    transaction.commit();
    Ok(document)
}

fn change(document: &DocHandle) -> Result<()> {
    document.with_document(|document| {
        let mut transaction = document.transaction();
        transaction.put(ROOT, "phone", "+49 30 7777777")?;
        transaction.commit();
        Ok(())
    })
}

fn heads(document: &DocHandle) -> Vec<automerge::ChangeHash> {
    document.with_document(|document| document.get_heads())
}

async fn dial(repo: &Repo, port: u16) -> Result<ConnectionId> {
    let dialer = TcpDialer::new_host_port("127.0.0.1".to_owned(), port);
    let dialer = repo.dial(BackoffConfig::default(), Arc::new(dialer))?;
    dialer.established().await.map_err(|_| "the server does not answer")?;
    dialer.connection_id().ok_or_else(|| "the connection ended".into())
}

async fn they_have(documents: &[DocHandle], connection: ConnectionId) {
    join_all(
        documents
            .iter()
            .map(|document| document.they_have_our_changes(connection)),
    )
    .await;
}

async fn find(repo: &Repo, ids: &[DocumentId]) -> Result<Vec<DocHandle>> {
    let found = join_all(ids.iter().map(|id| repo.find(id.clone()))).await;
    found
        .into_iter()
        .map(|found| found?.ok_or_else(|| "a document is not there".into()))
        .collect()
}

/// Passes on what comes to a port of its own, and counts it both ways.
async fn count(server: u16) -> Result<(u16, Arc<AtomicU64>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (port, bytes) = (listener.local_addr()?.port(), Arc::new(AtomicU64::new(0)));
    let counted = bytes.clone();
    tokio::spawn(async move {
        while let Ok((device, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                return;
            };
            for stream in [&device, &server] {
                stream.set_nodelay(true).ok();
            }
            let (device, server) = (device.into_split(), server.into_split());
            tokio::spawn(pass_on(device.0, server.1, counted.clone()));
            tokio::spawn(pass_on(server.0, device.1, counted.clone()));
        }
    });
    Ok((port, bytes))
}

async fn pass_on(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, bytes: Arc<AtomicU64>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length) = from.read(&mut buffer).await {
        if length == 0 || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
        bytes.fetch_add(length as u64, Ordering::Relaxed);
    }
}
