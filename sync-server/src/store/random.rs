//! Randomness of the operating system.

use uuid::Uuid;

use super::now;

/// Fills bytes from the operating system's secure source.
pub fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("BUG: the operating system has no randomness");
}

/// Random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// A new UUID v7 of the present time.
pub fn new_id() -> Uuid {
    let millis = u64::try_from(now().0 / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes()).into_uuid()
}
