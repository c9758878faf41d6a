//! A line between two machines that can be taken away and given back: a TCP proxy that passes everything on, or nothing.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// A line. It is there until it is cut, and ends when dropped.
pub struct Gate {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    open: AtomicBool,
    /// No live channel gets through.
    deaf: AtomicBool,
    ended: AtomicBool,
    ends: Mutex<Vec<TcpStream>>,
}

impl Gate {
    /// A line to a server.
    pub fn to(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let gate = Self {
            port: listener.local_addr().expect("the port's number").port(),
            shared: Arc::new(Shared {
                open: AtomicBool::new(true),
                deaf: AtomicBool::new(false),
                ended: AtomicBool::new(false),
                ends: Mutex::default(),
            }),
        };
        let shared = gate.shared.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(far) = TcpStream::connect(&server) {
                    shared.join(near, far);
                }
            }
        });
        gate
    }

    /// `http://127.0.0.1:…`
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Takes the line away: connections are cut, and new ones fail.
    pub fn cut(&self) {
        self.shared.open.store(false, Ordering::SeqCst);
        self.shared.cut();
    }

    /// Lets no hub's live channel through any more: the one that is there is cut, and so is whoever asks for one.
    pub fn deafen(&self) {
        self.shared.deaf.store(true, Ordering::SeqCst);
        self.shared.cut();
    }

    /// Gives it back.
    pub fn mend(&self) {
        self.shared.open.store(true, Ordering::SeqCst);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the thread that waits for a connection.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

impl Shared {
    fn join(self: &Arc<Self>, near: TcpStream, far: TcpStream) {
        let copies = [near.try_clone(), far.try_clone(), near.try_clone(), far.try_clone()];
        let [Ok(a), Ok(b), Ok(c), Ok(d)] = copies else { return };
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).extend([a, b]);
        let shared = self.clone();
        std::thread::spawn(move || {
            pass(near, far, |asked| {
                !shared.deaf.load(Ordering::SeqCst) || !is_live(asked)
            });
        });
        std::thread::spawn(move || pass(d, c, |_| true));
        // Looked at last: one that was joined while the line was cut is cut, too.
        if !self.open.load(Ordering::SeqCst) {
            self.cut();
        }
    }

    fn cut(&self) {
        for end in self.ends.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            end.shutdown(Shutdown::Both).ok();
        }
    }
}

/// A request begins a packet here: whoever asks waits for the answer before it asks again.
fn is_live(asked: &[u8]) -> bool {
    asked.starts_with(b"GET /v1/hub/live ")
}

fn pass(mut from: TcpStream, mut to: TcpStream, may: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !may(&buffer[..count]) || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
