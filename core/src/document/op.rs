//! Live operations, packed: 20 bytes each, their values side by side in one buffer.

use smallvec::SmallVec;

use super::{
    Document, OpId, Origin,
    codec::DecodeError,
    scalar::{Kind, Scalar},
};

/// An operation that nothing has overwritten. A key with several has concurrent values.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LiveOp<'a> {
    /// Its id.
    pub id: OpId,
    /// What it set.
    pub value: Scalar<'a>,
    /// Where it came from, for columns where people or claims need to know.
    pub origin: Option<Origin>,
}

/// A live operation as a document keeps it. [`Document::view`] shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Op {
    /// Its id.
    pub(super) id: OpId,
    /// Where in [`Document::origins`], from 1; 0 for none.
    pub(super) origin: u32,
    pub(super) value: Packed,
}

/// The live operations of one place inside an object: most often one.
pub(super) type Ops = SmallVec<[Op; 1]>;

/// Where a value is in a buffer of values, and what its bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packed {
    offset: u32,
    /// Its length and, in the lowest four bits, its kind.
    meta: u32,
}

impl Packed {
    /// The last `length` bytes of a buffer.
    #[inline]
    fn last(buffer: &[u8], length: usize, kind: Kind) -> Self {
        Self {
            offset: (buffer.len() - length) as u32,
            meta: (length as u32) << 4 | kind.bits(),
        }
    }

    /// Puts a value behind the others.
    #[inline]
    pub(super) fn push(buffer: &mut Vec<u8>, scalar: Scalar<'_>) -> Self {
        let before = buffer.len();
        let kind = scalar.write(buffer);
        Self::last(buffer, buffer.len() - before, kind)
    }

    /// Copies a value of another buffer.
    #[inline]
    pub(super) fn copy(self, from: &[u8], to: &mut Vec<u8>) -> Self {
        let bytes = self.bytes(from);
        to.extend_from_slice(bytes);
        Self::last(to, bytes.len(), self.kind())
    }

    /// The value at a place in a buffer that was read from outside.
    #[inline]
    pub(super) fn checked(buffer: &[u8], offset: usize, length: usize, kind: Kind) -> Result<Self, DecodeError> {
        let end = offset.checked_add(length).filter(|_| length < 1 << 28);
        let bytes = end
            .and_then(|end| buffer.get(offset..end))
            .ok_or(DecodeError::Malformed("it ends too early"))?;
        kind.read(bytes)?;
        Ok(Self {
            offset: offset as u32,
            meta: (length as u32) << 4 | kind.bits(),
        })
    }

    /// How many bytes it has.
    #[inline]
    pub(super) fn len(self) -> usize {
        (self.meta >> 4) as usize
    }

    #[inline]
    pub(super) fn meta(self) -> u32 {
        self.meta
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        Kind::of_meta(self.meta)
    }

    #[inline]
    pub(super) fn bytes(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.offset as usize..][..self.len()]
    }

    #[inline]
    pub(super) fn scalar(self, buffer: &[u8]) -> Scalar<'_> {
        self.kind()
            .read(self.bytes(buffer))
            .expect("BUG: values are checked when they are read from outside")
    }
}

/// The live operations of one key of a document.
#[derive(Clone, Debug)]
pub struct Live<'a> {
    document: &'a Document,
    ops: &'a [(u16, Op)],
}

impl<'a> Live<'a> {
    pub(super) fn new(document: &'a Document, ops: &'a [(u16, Op)]) -> Self {
        Self { document, ops }
    }

    /// True if nothing is live: the key is not there.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// How many concurrent values there are.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// The only one, if there is one and no other.
    pub fn only(&self) -> Option<LiveOp<'a>> {
        match self.ops {
            [(_, op)] => Some(self.document.view(op)),
            _ => None,
        }
    }
}

impl<'a> Iterator for Live<'a> {
    type Item = LiveOp<'a>;

    fn next(&mut self) -> Option<LiveOp<'a>> {
        let ((_, first), rest) = self.ops.split_first()?;
        self.ops = rest;
        Some(self.document.view(first))
    }
}
