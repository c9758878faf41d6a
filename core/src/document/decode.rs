//! Reads a change's bytes, whatever they are.

use std::io::Read;

use automerge::{Change, ExpandedChange};

use crate::ids::ChangeHash;

/// The largest change taken, in bytes, packed or not.
pub const MAX_CHANGE_BYTES: usize = 4 << 20;

/// A change, decoded and its hash checked.
#[derive(Debug, Clone)]
pub struct DecodedChange {
    /// Its name: SHA-256 of its contents.
    pub hash: ChangeHash,
    /// Its operations, dependencies and maker.
    pub change: ExpandedChange,
}

/// Why bytes are not a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_CHANGE_BYTES`], packed or unpacked.
    #[error("a change of more than {MAX_CHANGE_BYTES} bytes")]
    TooLarge,
    /// Not in Automerge's format.
    #[error("not an Automerge change: {0}")]
    Malformed(String),
}

impl DecodedChange {
    /// Decodes one change chunk.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        check_size(bytes)?;
        let change = Change::try_from(bytes).map_err(|e| DecodeError::Malformed(e.to_string()))?;
        Ok(Self {
            hash: ChangeHash(change.hash().0),
            change: change.decode(),
        })
    }

    /// The counter of its last operation.
    pub fn max_op(&self) -> u64 {
        (self.change.start_op.get() + self.change.operations.len() as u64).saturating_sub(1)
    }
}

/// A packed chunk is unpacked by the library without a limit, so its size is measured first. Chunk layout: 4 bytes magic,
/// 4 checksum, 1 kind (2 = packed with deflate), LEB128 length, contents.
fn check_size(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.len() > MAX_CHANGE_BYTES {
        return Err(DecodeError::TooLarge);
    }
    if bytes.get(8) != Some(&2) {
        return Ok(());
    }
    let header = bytes[9..]
        .iter()
        .position(|b| b & 0x80 == 0)
        .map_or(bytes.len(), |i| 10 + i);
    let limit = MAX_CHANGE_BYTES as u64 + 1;
    let mut unpacked = flate2::read::DeflateDecoder::new(&bytes[header..]).take(limit);
    let size = std::io::copy(&mut unpacked, &mut std::io::sink())
        .map_err(|e| DecodeError::Malformed(format!("cannot be unpacked: {e}")))?;
    if size >= limit {
        Err(DecodeError::TooLarge)
    } else {
        Ok(())
    }
}
