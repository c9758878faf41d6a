//! The compact form in which stores keep a document and snapshots carry it.
//!
//! ```text
//! version, flags, max op, [updated at], heads, [creation, [others]], actors, origins, root, values, [the rest]
//! root     = for each live operation: key, counter, actor, origin, length and kind of its value
//! the rest = unknown keys, deleting changes, lost claims, objects
//! ```
//!
//! Numbers are LEB128, hashes their 32 bytes; values are as Automerge's changes have them. A text's elements are kept in runs:
//! what one person typed in one go is its characters and little more.

mod read;
mod write;

use super::{
    Document, Op,
    codec::{DecodeError, leb128::Reader},
    object::{Object, ObjectContent},
};
use crate::ids::ChangeHash;

/// The first byte: another form would have another.
const VERSION: u8 = 2;

const HAS_UPDATED_AT: u8 = 1;
const HAS_CREATION: u8 = 2;
/// The first change is the only head.
const CREATION_IS_HEAD: u8 = 4;
const HAS_REST: u8 = 8;
/// Several people made the row.
const HAS_MORE_CREATIONS: u8 = 16;

/// A run of a sequence.
const TYPED: u64 = 0;
const DELETED_RUN: u64 = 1;
const SINGLE: u64 = 2;

impl Document {
    /// The compact form that stores keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        let capacity = 96 + 24 * (self.root.len() + self.actors.len()) / 2 + self.values.len() + 32 * self.heads.len();
        write::document(self, Vec::with_capacity(capacity))
    }

    /// Reads [`Document::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let document = read::document(&mut reader)?;
        if reader.is_empty() {
            Ok(document)
        } else {
            Err(DecodeError::Malformed("bytes are left over"))
        }
    }

    /// The heads alone of [`Document::to_bytes`], without reading the rest.
    pub fn heads_of(bytes: &[u8]) -> Result<Vec<ChangeHash>, DecodeError> {
        let (_, beginning) = read::beginning(&mut Reader::new(bytes))?;
        Ok(beginning.heads)
    }

    /// Drops values and origins that nothing uses, once they are many.
    pub(super) fn tidy(&mut self) {
        if self.unused <= 128 + self.values.len() / 2 && self.origins.len() <= 16 + self.root.len() {
            return;
        }
        let old = std::mem::take(&mut self.values);
        let origins = std::mem::take(&mut self.origins);
        self.unused = 0;
        for i in 0..self.root.len() {
            let (_, mut op) = self.root[i];
            op.value = op.value.copy(&old, &mut self.values);
            if op.origin > 0 {
                op.origin = self.intern_origin(origins[op.origin as usize - 1]);
            }
            self.root[i].1 = op;
        }
        for object in &mut self.objects {
            object.each_live(|op| op.value = op.value.copy(&old, &mut self.values));
        }
    }
}

impl Object {
    fn live_operations(&self) -> Box<dyn Iterator<Item = &Op> + '_> {
        match &self.content {
            ObjectContent::Map(entries) => Box::new(entries.iter().flat_map(|(_, live)| live)),
            ObjectContent::Sequence(sequence) => Box::new(sequence.elements().iter().flat_map(|e| &e.live)),
        }
    }

    fn each_live(&mut self, mut change: impl FnMut(&mut Op)) {
        match &mut self.content {
            ObjectContent::Map(entries) => entries.iter_mut().flat_map(|(_, live)| live).for_each(&mut change),
            ObjectContent::Sequence(sequence) => {
                sequence.elements_mut().flat_map(|e| &mut e.live).for_each(&mut change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{
        Actor, ActorClock, ObjectKind, OpId, Scalar,
        op::{Ops, Packed},
    };

    /// Maps of these ids, each with one entry that the operation of another id made.
    fn nested(maps: &[(u32, u32)]) -> Vec<u8> {
        let clock = ActorClock {
            actor: Actor::from(vec![1; 20]),
            seq: 1,
            max_op: 9,
        };
        let mut document = Document {
            actors: vec![clock],
            ..Document::default()
        };
        for (counter, entry) in maps {
            let id = |counter| OpId { counter, actor: 0 };
            let mut object = Object::new(id(*counter), ObjectKind::Map);
            let value = Packed::push(&mut document.values, Scalar::Object(ObjectKind::Map));
            let op = Op {
                id: id(*entry),
                origin: 0,
                value,
            };
            object.content = ObjectContent::Map(vec![("inside".into(), Ops::from_elem(op, 1))]);
            document.objects.push(object);
        }
        document.to_bytes()
    }

    #[test]
    fn objects_that_hold_themselves_or_each_other_are_refused() {
        assert!(Document::from_bytes(&nested(&[(1, 2), (2, 3)])).is_ok());
        let broken = Some(DecodeError::Malformed("its objects are no tree"));
        assert_eq!(Document::from_bytes(&nested(&[(1, 1)])).err(), broken, "holds itself");
        assert_eq!(
            Document::from_bytes(&nested(&[(1, 2), (2, 1)])).err(),
            broken,
            "hold each other"
        );
        assert_eq!(
            Document::from_bytes(&nested(&[(1, 3), (2, 3)])).err(),
            broken,
            "in two places"
        );
    }
}
