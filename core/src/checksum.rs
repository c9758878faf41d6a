//! A checksum over all documents of a scope, kept up to date with each change instead of counted anew.
//!
//! ```text
//!  checksum  =  Σ SHA-256(document's id, its heads)     each as four numbers of 64 bits, added modulo 2⁶⁴
//!  a change  =  − what the document was  + what it is
//! ```
//!
//! A sum does not depend on order and takes documents out as easily as in, so that a server and its devices, who heard of the
//! same changes in different orders, have the same. The construction is `AdHash` (Bellare and Micciancio, "A New Paradigm for
//! Collision-free Hashing: Incrementality at Reduced Cost", 1997). `LtHash` (Lewi, Kim, Maykov, Weis, "Securing Update
//! Propagation with Homomorphic Hashing", 2019) widens the sum to 2 KiB, because whoever may choose the documents can forge a
//! narrow one. Nobody defends against forgery here, but against errors and rotten bits, which do not choose: two sets that
//! differ by accident have the same 256 bits with a probability of 2⁻²⁵⁶. So it stays at 32 bytes and one SHA-256 for each
//! document.

use std::{
    fmt,
    ops::{AddAssign, SubAssign},
};

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::{
    document::{DocumentId, Facet},
    ids::ChangeHash,
};

/// A sum over documents. See the module's text.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksum([u64; 4]);

impl Checksum {
    /// That of one document; nothing for one without changes.
    pub fn of(id: DocumentId, heads: &[ChangeHash]) -> Self {
        if heads.is_empty() {
            return Self::default();
        }
        let mut hasher = Sha256::new();
        hasher.update(id.part().to_be_bytes());
        hasher.update(id.row.0.as_bytes());
        for head in heads {
            hasher.update(head.0);
        }
        Self::from_bytes(&hasher.finalize().into())
    }

    /// 32 bytes, the first number first, each little-endian.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, lane) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&lane.to_le_bytes());
        }
        bytes
    }

    /// Reads [`Checksum::to_bytes`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (lanes, _) = bytes.as_chunks::<8>();
        let mut sum = [0; 4];
        for (lane, bytes) in sum.iter_mut().zip(lanes) {
            *lane = u64::from_le_bytes(*bytes);
        }
        Self(sum)
    }
}

impl AddAssign for Checksum {
    fn add_assign(&mut self, other: Self) {
        for (lane, more) in self.0.iter_mut().zip(other.0) {
            *lane = lane.wrapping_add(more);
        }
    }
}

impl SubAssign for Checksum {
    fn sub_assign(&mut self, other: Self) {
        for (lane, less) in self.0.iter_mut().zip(other.0) {
            *lane = lane.wrapping_sub(less);
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

impl<C> Encode<C> for Checksum {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Checksum {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?.try_into();
        let bytes = bytes.map_err(|_| minicbor::decode::Error::message("a checksum is not 32 bytes"))?;
        Ok(Self::from_bytes(bytes))
    }
}

/// The sums of a store, one for each part of rows that some see and others do not.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Checksums {
    /// Over the main documents.
    pub main: Checksum,
    /// Over those of restricted columns.
    pub restricted: Checksum,
}

impl Checksums {
    /// A document's heads are others now.
    pub fn replace(&mut self, id: DocumentId, before: &[ChangeHash], after: &[ChangeHash]) {
        if before == after {
            return;
        }
        let sum = match id.facet {
            Facet::Main => &mut self.main,
            Facet::Restricted => &mut self.restricted,
        };
        *sum -= Checksum::of(id, before);
        *sum += Checksum::of(id, after);
    }

    /// The sum over what is seen: with the restricted documents or without.
    pub fn visible(&self, restricted: bool) -> Checksum {
        let mut sum = self.main;
        if restricted {
            sum += self.restricted;
        }
        sum
    }

    /// 64 bytes: the main sum, then the restricted.
    pub fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.main.to_bytes());
        bytes[32..].copy_from_slice(&self.restricted.to_bytes());
        bytes
    }

    /// Reads [`Checksums::to_bytes`]; `None` if they aren't 64.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (main, restricted) = bytes.split_first_chunk::<32>()?;
        Some(Self {
            main: Checksum::from_bytes(main),
            restricted: Checksum::from_bytes(restricted.try_into().ok()?),
        })
    }
}

impl AddAssign for Checksums {
    fn add_assign(&mut self, other: Self) {
        self.main += other.main;
        self.restricted += other.restricted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::RowId, schema::TableId};

    fn id(row: u128, facet: Facet) -> DocumentId {
        DocumentId {
            table: TableId(3),
            facet,
            row: RowId(uuid::Uuid::from_u128(row)),
        }
    }

    fn heads(numbers: &[u8]) -> Vec<ChangeHash> {
        numbers.iter().map(|n| ChangeHash([*n; 32])).collect()
    }

    #[test]
    fn the_order_of_changes_leaves_no_trace() {
        let (mut one, mut other) = (Checksums::default(), Checksums::default());
        one.replace(id(1, Facet::Main), &[], &heads(&[1]));
        one.replace(id(2, Facet::Main), &[], &heads(&[2]));
        one.replace(id(1, Facet::Main), &heads(&[1]), &heads(&[3, 4]));
        other.replace(id(2, Facet::Main), &[], &heads(&[9]));
        other.replace(id(1, Facet::Main), &[], &heads(&[3, 4]));
        assert_ne!(one, other);
        other.replace(id(2, Facet::Main), &heads(&[9]), &heads(&[2]));
        assert_eq!(one, other);
        one.replace(id(1, Facet::Main), &heads(&[3, 4]), &[]);
        one.replace(id(2, Facet::Main), &heads(&[2]), &[]);
        assert_eq!(one, Checksums::default());
    }

    #[test]
    fn documents_that_change_places_are_noticed() {
        let sum = |a: u8, b: u8| {
            let mut sum = Checksum::of(id(1, Facet::Main), &heads(&[a]));
            sum += Checksum::of(id(2, Facet::Main), &heads(&[b]));
            sum
        };
        assert_ne!(sum(1, 2), sum(2, 1));
        assert_ne!(
            Checksum::of(id(1, Facet::Main), &heads(&[1])),
            Checksum::of(id(1, Facet::Restricted), &heads(&[1]))
        );
    }

    #[test]
    fn who_sees_no_restricted_columns_has_the_sum_without_them() {
        let mut sums = Checksums::default();
        sums.replace(id(1, Facet::Main), &[], &heads(&[1]));
        let without = sums;
        sums.replace(id(1, Facet::Restricted), &[], &heads(&[2]));
        assert_eq!(sums.visible(false), without.visible(true));
        assert_ne!(sums.visible(true), without.visible(true));
        assert_eq!(Checksums::from_bytes(&sums.to_bytes()), Some(sums));
        assert_eq!(Checksums::from_bytes(&sums.to_bytes()[1..]), None);
    }
}
