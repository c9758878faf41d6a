//! Counts what goes over the network between a device and its server, HTTP's own lines too.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// A place between a device and a server that passes everything on. It takes no more connections when dropped.
pub struct Counter {
    port: u16,
    bytes: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl Counter {
    /// Before this server (`http://HOST:PORT`).
    pub fn before(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let counter = Self {
            port: listener.local_addr().expect("the port's number").port(),
            bytes: Arc::default(),
            ended: Arc::default(),
        };
        let (bytes, ended) = (counter.bytes.clone(), counter.ended.clone());
        std::thread::spawn(move || {
            for device in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                // A server that is down: the device sees its connection end.
                let Ok(server) = TcpStream::connect(&server) else {
                    continue;
                };
                both_ways(&device, &server, &bytes);
            }
        });
        counter
    }

    /// `http://127.0.0.1:…`
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Bytes so far, both ways.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

fn both_ways(device: &TcpStream, server: &TcpStream, bytes: &Arc<AtomicU64>) {
    for stream in [device, server] {
        stream.set_nodelay(true).ok();
    }
    for (from, to) in [(device, server), (server, device)] {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
            return;
        };
        let bytes = bytes.clone();
        std::thread::spawn(move || pass_on(from, to, &bytes));
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, bytes: &AtomicU64) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length) = from.read(&mut buffer) {
        // Before it is passed on: who has read it may ask at once.
        bytes.fetch_add(length as u64, Ordering::Relaxed);
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    from.shutdown(Shutdown::Read).ok();
    to.shutdown(Shutdown::Write).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_on_is_counted_both_ways() {
        let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let counter = Counter::before(&format!("http://{}", server.local_addr().unwrap()));
        let mut device = TcpStream::connect(("127.0.0.1", counter.port)).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        device.write_all(b"ten bytes.").unwrap();
        let mut asked = [0; 10];
        accepted.read_exact(&mut asked).unwrap();
        accepted.write_all(b"four").unwrap();
        let mut answered = [0; 4];
        device.read_exact(&mut answered).unwrap();
        assert_eq!((&asked, &answered), (b"ten bytes.", b"four"));
        assert_eq!(counter.bytes(), 14);
    }
}
