//! `idle`: the server's memory for each device that only listens on its live channel.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::{
    Plan, memory,
    report::{Report, Sample},
    sender::{Connection, Signer, on_two_threads},
};
use crate::{
    hospital::Hospital,
    server::{Kind, Server},
};

/// How many devices listen unless told otherwise.
const DEVICES: usize = 10_000;

/// Until everything that opening needed is given back, or never will be.
const SETTLE: Duration = Duration::from_secs(3);

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let devices = plan.devices.unwrap_or(DEVICES);
    let mut report = Report::new(format!(
        "{devices} devices, each signed in and with its live channel open, nothing happens; resident memory of the server's \
         process; server on PostgreSQL"
    ));
    for run in 1..=plan.runs {
        eprintln!("idle, run {run} of {}", plan.runs);
        run_once(devices, &mut report);
    }
    report
}

fn run_once(devices: usize, report: &mut Report) {
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let server = &hospital.server;
    let process = server.process_id().expect("the server runs");
    eprintln!("  {devices} devices sign in");
    let tokens = on_two_threads((0..devices).collect(), |_| {
        Connection::open(&server.address(), Signer::on_new_device().device_key())
            .token()
            .to_owned()
    });
    std::thread::sleep(SETTLE);
    let before = memory::held(process);
    eprintln!("  {devices} channels open");
    let channels: Vec<TcpStream> = tokens.iter().map(|token| listen(server, token)).collect();
    std::thread::sleep(SETTLE);
    let after = memory::held(process);
    assert_eq!(channels.len(), devices);
    let each = Sample::new(
        "memory for each listening device",
        "KB",
        (after - before) / 1e3 / devices as f64,
    );
    report.add(each.beside(
        "the system's least buffers of a TCP connection, one each way",
        least_buffers() / 1e3,
    ));
    report
        .add(Sample::new("the server with all of them", "MB", after / 1e6).beside("the server without", before / 1e6));
}

/// Opens a live channel and waits for its first event.
fn listen(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("the server takes a connection");
    let patience = Some(Duration::from_mins(1));
    stream
        .set_read_timeout(patience)
        .expect("a connection can be told to wait");
    let question = format!("GET /v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(question.as_bytes()).expect("the server reads");
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    while !heard.windows(6).any(|words| words == b"event:") {
        let length = stream.read(&mut buffer).expect("the server answers");
        heard.extend_from_slice(&buffer[..length]);
        let said = String::from_utf8_lossy(&heard);
        let opened = said.starts_with("HTTP/1.1 200") || heard.len() < 12;
        assert!(length > 0 && opened, "no live channel: {said}");
    }
    stream
}

/// What Linux grants every TCP connection, whatever else is short: the first numbers of `tcp_rmem` and `tcp_wmem`.
fn least_buffers() -> f64 {
    let first = |file: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{file}")).unwrap_or_default();
        text.split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(4096.0)
    };
    let (read, write): (f64, f64) = (first("tcp_rmem"), first("tcp_wmem"));
    read + write
}
