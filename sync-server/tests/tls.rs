//! A database that is to be reached with TLS is never spoken to without.

#![expect(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use holdfast_server::store::{Location, Store};
use tokio::runtime::Runtime;

/// PostgreSQL's request for TLS: its length and its number.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Opens a store with these options on a database that answers the request for TLS so. Returns what the server sent next
/// and why it failed.
fn open(options: &str, answer: u8) -> (Vec<u8>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let database = thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        let mut asked = [0; 8];
        line.read_exact(&mut asked).unwrap();
        assert_eq!(asked, SSL_REQUEST);
        line.write_all(&[answer]).unwrap();
        let mut next = vec![0; 3];
        let length = line.read(&mut next).unwrap_or(0);
        next.truncate(length);
        next
    });
    let location = Location::Database(format!(
        "postgres://holdfast:secret@127.0.0.1:{port}/hospital?{options}"
    ));
    let failed = Runtime::new().unwrap().block_on(Store::open(&location)).err().unwrap();
    (database.join().unwrap(), failed.to_string())
}

#[test]
fn a_database_that_offers_tls_is_spoken_to_with_tls() {
    for options in ["sslmode=require", "sslmode=verify-full", "sslmode=prefer"] {
        let (next, _) = open(options, b'S');
        assert_eq!(next[..2], [0x16, 0x03], "{options}: a TLS handshake");
    }
}

#[test]
fn a_database_without_tls_gets_no_password_where_tls_is_asked_for() {
    for options in ["sslmode=require", "sslmode=verify-full"] {
        let (next, why) = open(options, b'N');
        assert!(next.is_empty(), "{options}: nothing more was said");
        assert!(why.contains("TLS"), "{why}");
    }
}
