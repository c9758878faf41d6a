//! Randomness of the operating system.

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
