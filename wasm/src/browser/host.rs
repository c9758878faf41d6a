//! The browser's clock and randomness.

use holdfast_core::ids::Timestamp;
use holdfast_store::Host;

pub fn host() -> Host {
    let mut pool = Pool::default();
    Host {
        // Whole milliseconds: a browser tells no more.
        now: Box::new(|| Timestamp(js_sys::Date::now() as i64 * 1_000)),
        random: Box::new(move |bytes| pool.fill(bytes)),
    }
}

/// How many random bytes are asked of the browser at once: each question took 35 µs of a command.
const POOL: usize = 1024;

/// Random bytes that were given by the browser and not used yet. Each is used once.
struct Pool {
    bytes: [u8; POOL],
    used: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            bytes: [0; POOL],
            used: POOL,
        }
    }
}

impl Pool {
    fn fill(&mut self, bytes: &mut [u8]) {
        if bytes.len() > POOL {
            return browser(bytes);
        }
        if bytes.len() > POOL - self.used {
            browser(&mut self.bytes);
            self.used = 0;
        }
        let end = self.used + bytes.len();
        let mine = &mut self.bytes[self.used..end];
        bytes.copy_from_slice(mine);
        mine.fill(0);
        self.used = end;
    }
}

fn browser(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("BUG: a worker has crypto.getRandomValues");
}
