//! A network that breaks: passes bytes between a device and its server, some slowly, and ends every connection after a
//! random number of them: cut, or silent with both ends open.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::dice::Dice;

/// How many bytes a connection carries at most.
const MOST: usize = 20_000;

/// One in so many connections is slow.
const SLOW: usize = 10;

/// One in so many connections falls silent where others are cut.
const SILENT: usize = 20;

/// How long a slow connection holds back each piece, and how long a silent one stays open.
const DELAY: Duration = Duration::from_millis(30);
const SILENCE: Duration = Duration::from_secs(2);

/// A proxy. It ends when dropped.
pub struct Proxy {
    port: u16,
    cuts: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

/// What becomes of a connection, in both directions.
#[derive(Clone)]
struct Fate {
    /// How many bytes it may still carry.
    left: Arc<AtomicUsize>,
    delay: Duration,
    silence: Duration,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy in front of a server. It ends every connection sooner or later.
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
                let fate = Fate::draw(&mut dice, &cuts);
                let Ok(server) = TcpStream::connect(&server) else {
                    continue;
                };
                pass(device, server, &fate);
            }
        });
        proxy
    }

    /// `http://127.0.0.1:…`
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many connections it has ended in the middle so far.
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

impl Fate {
    fn draw(dice: &mut Dice, cuts: &Arc<AtomicUsize>) -> Self {
        let once_in = |dice: &mut Dice, n, time| if dice.once_in(n) { time } else { Duration::ZERO };
        Self {
            left: Arc::new(AtomicUsize::new(dice.below(MOST))),
            delay: once_in(dice, SLOW, DELAY),
            silence: once_in(dice, SILENT, SILENCE),
            cuts: cuts.clone(),
        }
    }
}

/// Passes bytes in both directions, each on its own thread, until a side ends or the allowance is used up.
fn pass(device: TcpStream, server: TcpStream, fate: &Fate) {
    let both = (device.try_clone(), server.try_clone());
    let (Ok(device_2), Ok(server_2)) = both else { return };
    for (from, to) in [(device, server), (server_2, device_2)] {
        let fate = fate.clone();
        std::thread::spawn(move || pass_one_way(from, to, &fate));
    }
}

fn pass_one_way(mut from: TcpStream, mut to: TcpStream, fate: &Fate) {
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let before = fate.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_sub(count))
        });
        let allowed = before.unwrap_or(0);
        std::thread::sleep(fate.delay);
        if to.write_all(&buffer[..count.min(allowed)]).is_err() {
            break;
        }
        if allowed < count {
            fate.cuts.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(fate.silence);
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
