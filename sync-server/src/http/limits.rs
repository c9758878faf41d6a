//! How much clients may take of one server at once: the table in docs/protocol.md. Whoever finds no room is told when to
//! come back; nothing is queued without end.

use std::time::Duration;

use crate::places::Room;

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Open connections. The next ones wait in the operating system's queue until one ends.
    pub connections: usize,
    /// How long the head of a request may take to arrive; so also how long a connection may be idle.
    pub head: Duration,
    /// How long a body may make no progress.
    pub silence: Duration,
    /// Pushes from before their body is read until they are answered. Each holds up to twice the largest body.
    pub pushes: Room,
    /// Pages of pulls and snapshots from before they are read until they are sent. Each holds about 4 MiB.
    pub pages: Room,
    /// How many of these pages are made at once; the others wait their turn.
    pub page_makers: usize,
    /// Live channels.
    pub live: Room,
    /// Sign-ins that wait for their password to be verified. How many are verified at once is `VERIFIERS`.
    pub sign_ins: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            head: Duration::from_secs(30),
            silence: Duration::from_secs(20),
            pushes: Room { all: 32, each: 4 },
            pages: Room { all: 128, each: 4 },
            page_makers: 8,
            live: Room { all: 10_000, each: 8 },
            sign_ins: 64,
        }
    }
}
