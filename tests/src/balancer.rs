//! What stands in front of several servers: gives each connection to the next one that answers.

use std::{
    io::copy,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A balancer. It takes no new connections when dropped.
pub struct Balancer {
    port: u16,
    ended: Arc<AtomicBool>,
}

impl Balancer {
    /// A balancer in front of these servers.
    pub fn start(servers: &[&str]) -> Self {
        let servers: Vec<String> = servers
            .iter()
            .map(|server| server.trim_start_matches("http://").to_owned())
            .collect();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let balancer = Self {
            port: listener.local_addr().expect("the port's number").port(),
            ended: Arc::default(),
        };
        let ended = balancer.ended.clone();
        std::thread::spawn(move || {
            for (turn, device) in listener.incoming().flatten().enumerate() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let mut in_turn = (0..servers.len()).map(|n| &servers[(turn + n) % servers.len()]);
                let server = in_turn.find_map(|server| TcpStream::connect(server).ok());
                // Where none answers the device learns it by the end of its connection.
                if let Some(server) = server {
                    pass(&device, &server);
                }
            }
        });
        balancer
    }

    /// `http://127.0.0.1:…`
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

/// Passes bytes in both directions, each on its own thread, until a side ends.
fn pass(device: &TcpStream, server: &TcpStream) {
    for (from, to) in [(device, server), (server, device)] {
        let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
            return;
        };
        std::thread::spawn(move || {
            copy(&mut from, &mut to).ok();
            from.shutdown(Shutdown::Both).ok();
            to.shutdown(Shutdown::Both).ok();
        });
    }
}
