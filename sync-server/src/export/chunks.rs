//! Changes one after the other, as an exported file has them.

use holdfast_core::{
    document::{DecodeError, DecodedChange},
    ids::ChangeHash,
};

/// Magic, checksum and kind stand before a chunk's length.
const BEFORE_LENGTH: usize = 9;

/// The changes of an exported file, in order. After the first error there are no more.
pub fn changes(mut bytes: &[u8]) -> impl Iterator<Item = Result<DecodedChange, DecodeError>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let length = length(bytes).unwrap_or(bytes.len());
        let (chunk, rest) = bytes.split_at(length);
        let change = DecodedChange::from_bytes(chunk);
        bytes = if change.is_ok() { rest } else { &[] };
        Some(change)
    })
}

/// True if one of the changes has this hash.
pub(super) fn contain(bytes: &[u8], hash: ChangeHash) -> bool {
    changes(bytes).flatten().any(|change| change.hash == hash)
}

/// How long the first chunk is; `None` if the bytes end before it does.
fn length(bytes: &[u8]) -> Option<usize> {
    let (mut length, mut shift) = (0_u64, 0);
    for (at, byte) in bytes.iter().enumerate().skip(BEFORE_LENGTH) {
        length |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            let end = (at + 1).checked_add(usize::try_from(length).ok()?)?;
            return (end <= bytes.len()).then_some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_breaks_off_or_is_no_export_gives_one_error_and_ends() {
        let long = [&[0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1][..], &[0xff; 12]].concat();
        for bytes in [&b"no export"[..], &[0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1, 9, 1], &long] {
            let found: Vec<_> = changes(bytes).collect();
            assert!(matches!(found.as_slice(), [Err(_)]), "{found:?}");
        }
        assert_eq!(changes(&[]).count(), 0);
    }
}
