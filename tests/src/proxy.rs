//! A network that breaks: passes bytes between a device and its server and cuts connections after a random number of them.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use crate::dice::Dice;

/// How many bytes a connection carries at most.
const MOST: usize = 20_000;

/// A proxy. It ends when dropped.
pub struct Proxy {
    port: u16,
    cuts: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy in front of a server. It cuts every connection sooner or later.
    pub fn start(server: &str, seed: u64) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let proxy = Self {
            port: listener.local_addr().expect("the port's number").port(),
            cuts: Arc::default(),
            ended: Arc::default(),
        };
        let (cuts, ended) = (proxy.cuts.clone(), proxy.ended.clone());
        std::thread::spawn(move || {
            let mut dice = Dice::new(seed);
            for device in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let allowed = dice.below(MOST);
                let Ok(server) = TcpStream::connect(&server) else {
                    continue;
                };
                pass(device, server, allowed, &cuts);
            }
        });
        proxy
    }

    /// `http://127.0.0.1:…`
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many connections it has cut so far.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

/// Passes bytes in both directions, each on its own thread, until a side ends or the allowance is used up.
fn pass(device: TcpStream, server: TcpStream, allowed: usize, cuts: &Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(allowed));
    let both = (device.try_clone(), server.try_clone());
    let (Ok(device_2), Ok(server_2)) = both else { return };
    for (from, to) in [(device, server), (server_2, device_2)] {
        let (left, cuts) = (left.clone(), cuts.clone());
        std::thread::spawn(move || pass_one_way(from, to, &left, &cuts));
    }
}

fn pass_one_way(mut from: TcpStream, mut to: TcpStream, left: &AtomicUsize, cuts: &AtomicUsize) {
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_sub(count))
        });
        let allowed = before.unwrap_or(0);
        if to.write_all(&buffer[..count.min(allowed)]).is_err() {
            break;
        }
        if allowed < count {
            cuts.fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
