//! The browser's clock and randomness.

use holdfast_core::ids::Timestamp;
use holdfast_store::Host;

pub fn host() -> Host {
    Host {
        // Whole milliseconds: a browser tells no more.
        now: Box::new(|| Timestamp(js_sys::Date::now() as i64 * 1_000)),
        random: Box::new(|bytes| {
            getrandom::fill(bytes).expect("BUG: a worker has crypto.getRandomValues");
        }),
    }
}
