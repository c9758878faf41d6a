//! What the store gets from where it runs: time and randomness.

use holdfast_core::ids::Timestamp;
use uuid::Uuid;

/// Fills bytes with randomness.
pub type Random = dyn FnMut(&mut [u8]) + Send;

/// Time and randomness. Tests give fixed ones.
pub struct Host {
    /// The present time.
    pub now: Box<dyn Fn() -> Timestamp + Send>,
    /// Fills bytes from a cryptographically secure source.
    pub random: Box<Random>,
}

impl Host {
    /// The present time.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    /// A new UUID v7 of the present time.
    pub fn new_id(&mut self) -> Uuid {
        let millis = u64::try_from(self.now().0 / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
}
