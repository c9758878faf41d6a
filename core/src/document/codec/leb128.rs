//! LEB128 numbers, and a reader over bytes that never reads beyond them.

use super::DecodeError;

/// Appends an unsigned number.
pub(in crate::document) fn write_unsigned(out: &mut impl Extend<u8>, mut value: u64) {
    while value >= 0x80 {
        out.extend([value as u8 | 0x80]);
        value >>= 7;
    }
    out.extend([value as u8]);
}

/// Appends a signed number.
pub(in crate::document) fn write_signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        let sign = byte & 0x40 != 0;
        if (value == 0 && !sign) || (value == -1 && sign) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// Reads bytes from the front.
#[derive(Clone, Copy, Debug)]
pub(in crate::document) struct Reader<'a> {
    rest: &'a [u8],
}

/// Two ways to write a number would give one change two names, and the Automerge library reads but one.
const LONGER: DecodeError = DecodeError::Malformed("a number is longer than it must be");

impl<'a> Reader<'a> {
    #[inline]
    pub(in crate::document) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub(in crate::document) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(in crate::document) fn bytes(&mut self, count: u64) -> Result<&'a [u8], DecodeError> {
        let count = usize::try_from(count).ok().filter(|n| *n <= self.rest.len());
        let (taken, rest) = self
            .rest
            .split_at(count.ok_or(DecodeError::Malformed("it ends too early"))?);
        self.rest = rest;
        Ok(taken)
    }

    /// One byte.
    #[inline]
    pub(in crate::document) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(DecodeError::Malformed("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    pub(in crate::document) fn unsigned(&mut self) -> Result<u64, DecodeError> {
        // Most numbers have one byte.
        if let Some((&first @ 0..0x80, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Ok(u64::from(first));
        }
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte == 0 {
                return Err(LONGER);
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Malformed("a number is too long"))
    }

    #[inline]
    pub(in crate::document) fn signed(&mut self) -> Result<i64, DecodeError> {
        let (mut value, mut before) = (0i64, None);
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && !matches!(byte, 0 | 0x7f) {
                break;
            }
            // The last byte says no more than the sign, which the one before said.
            if let Some(before) = before.replace(byte)
                && ((byte == 0 && before & 0x40 == 0) || (byte == 0x7f && before & 0x40 != 0))
            {
                return Err(LONGER);
            }
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if shift < 57 && byte & 0x40 != 0 {
                    value |= -1i64 << (shift + 7);
                }
                return Ok(value);
            }
        }
        Err(DecodeError::Malformed("a number is too long"))
    }

    /// How many bytes are left.
    #[inline]
    pub(in crate::document) fn len(&self) -> usize {
        self.rest.len()
    }

    /// All that is left.
    #[inline]
    pub(in crate::document) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// An unsigned number that must fit in 32 bits.
    #[inline]
    pub(in crate::document) fn short(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.unsigned()?).map_err(|_| DecodeError::Malformed("a number is out of range"))
    }

    /// Bytes with their length before them.
    #[inline]
    pub(in crate::document) fn prefixed(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.unsigned()?;
        self.bytes(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_a_round_trip() {
        for value in [0, 1, 63, 64, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            write_unsigned(&mut out, value);
            assert_eq!(Reader::new(&out).unsigned(), Ok(value));
        }
        for value in [0, 1, -1, 63, 64, -64, -65, 8191, -8192, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_signed(&mut out, value);
            assert_eq!(Reader::new(&out).signed(), Ok(value));
        }
    }

    #[test]
    fn a_number_longer_than_it_must_be_is_refused() {
        for bytes in [&[0xac, 0][..], &[0x80, 0], &[0xff, 0x80, 0]] {
            assert_eq!(Reader::new(bytes).unsigned(), Err(LONGER), "{bytes:x?}");
        }
        for bytes in [&[0x80, 0][..], &[0xff, 0x7f], &[0x81, 0x80, 0], &[0xc0, 0xff, 0x7f]] {
            assert_eq!(Reader::new(bytes).signed(), Err(LONGER), "{bytes:x?}");
        }
        let beyond = [[0x80; 9].as_slice(), &[2]].concat();
        assert!(Reader::new(&beyond).signed().is_err());
    }

    #[test]
    fn a_number_without_end_is_refused() {
        assert!(Reader::new(&[0xff; 20]).unsigned().is_err());
        assert!(Reader::new(&[0x80]).signed().is_err());
    }
}
