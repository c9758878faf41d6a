//! The root map of a row's document: its columns' live operations in one list, sorted by key.
//!
//! A key is a number: a column's own, or one beyond all columns' for the mark of deletion and for each column of a newer
//! schema.

use std::ops::{Range, RangeInclusive};

use super::{
    Document, FoldError, Key, Live, LiveOp, Op, OpId, Place,
    fold::Effect,
    fold::Work,
    op::Packed,
    scalar::{Kind, Scalar},
};
use crate::{ids::Seq, schema::ColumnId};

/// [`Key::Deleted`].
const DELETED: u16 = 0x7fff;

/// The first of [`Key::Unknown`].
pub(super) const UNKNOWN: u16 = 0x8000;

/// How many columns of newer schemas a row can carry along.
const MAX_UNKNOWN: usize = 4_000;

impl Document {
    /// The live operations of a key.
    pub fn live_of(&self, key: Key<'_>) -> Live<'_> {
        let ops = match self.number(key) {
            Some(number) => &self.root[self.range(number)],
            None => &[],
        };
        Live::new(self, ops)
    }

    /// Makes room for what a change is going to bring.
    pub(super) fn reserve(&mut self, operations: usize, values: usize) {
        if self.root.is_empty() {
            self.root.reserve_exact(operations.min(64));
        }
        self.values.reserve(values);
    }

    /// How many columns of newer schemas it carries along.
    pub fn unknown_columns(&self) -> usize {
        self.unknown.len()
    }

    /// Keeps only those deletions that nothing has overwritten.
    pub(super) fn forget_deletions(&mut self, work: &mut Work) -> Result<(), FoldError> {
        if self.deleting.is_empty() {
            return Ok(());
        }
        work.charge(self.deleting.len() * self.live_of(Key::Deleted).len())?;
        let mut deleting = std::mem::take(&mut self.deleting);
        deleting.retain(|(id, _)| self.live_of(Key::Deleted).any(|op| op.id == *id));
        self.deleting = deleting;
        Ok(())
    }

    /// All live operations of the root with their keys.
    pub fn live_operations(&self) -> impl Iterator<Item = (Key<'_>, LiveOp<'_>)> {
        self.root.iter().map(|(number, op)| {
            let key = match *number {
                DELETED => Key::Deleted,
                UNKNOWN.. => Key::Unknown(&self.unknown[usize::from(number - UNKNOWN)]),
                column => Key::Column(ColumnId(column)),
            };
            (key, self.view(op))
        })
    }

    fn number(&self, key: Key<'_>) -> Option<u16> {
        match key {
            Key::Column(id) => Some(id.0),
            Key::Deleted => Some(DELETED),
            Key::Unknown(name) => {
                let place = self.unknown.iter().position(|known| **known == *name)?;
                Some(UNKNOWN + place as u16)
            }
        }
    }

    /// Where a key's live operations are.
    fn range(&self, number: u16) -> Range<usize> {
        // Changes mostly write a row's columns in order.
        if self.root.last().is_none_or(|(last, _)| *last < number) {
            return self.root.len()..self.root.len();
        }
        let start = self.root.partition_point(|(key, _)| *key < number);
        let rest = &self.root[start..];
        // Nearly always one. Whoever sets a key as often as a change can must not make it slow.
        let same = match rest.iter().take(2).take_while(|(key, _)| *key == number).count() {
            2 => rest.partition_point(|(key, _)| *key == number),
            few => few,
        };
        start..start + same
    }

    /// Carries out an operation on a key. `preds` are the operations that it replaces or adds to.
    pub(super) fn apply_to_root(
        &mut self,
        key: Key<'_>,
        id: OpId,
        origin: u32,
        effect: &Effect<'_>,
        preds: &[OpId],
        work: &mut Work,
    ) -> Result<(), FoldError> {
        let number = match (self.number(key), key) {
            (Some(number), _) => number,
            (None, Key::Unknown(name)) if self.unknown.len() < MAX_UNKNOWN => {
                self.unknown.push(name.into());
                UNKNOWN + self.unknown.len() as u16 - 1
            }
            (None, _) => return Err(FoldError::TooManyKeys),
        };
        let range = self.range(number);
        work.charge(range.len() * preds.len() + self.unknown.len() + (self.root.len() - range.end) / 4)?;
        let named = |op: &Op| preds.contains(&op.id);
        let found = |range: &Range<usize>| self.root[range.clone()].iter().filter(|(_, op)| named(op)).count();
        if !preds.is_empty() && found(&range) < preds.len() {
            // What it names is overwritten already, or lives elsewhere, and then an Automerge library would take it away there.
            work.charge(self.root.len() * preds.len())?;
            if self.root.iter().any(|(other, op)| *other != number && named(op)) {
                return Err(FoldError::UnknownReference);
            }
        }
        if let Effect::Add(by) = effect {
            for i in range.clone() {
                let op = self.root[i].1;
                if named(&op) && op.value.kind() == Kind::COUNTER {
                    self.root[i].1.value = add(&mut self.values, &mut self.unused, op.value, *by);
                }
            }
        }
        let first = if preds.is_empty() { range.end } else { range.start };
        let mut kept = first;
        for i in first..range.end {
            let counted = matches!(effect, Effect::Add(_)) && self.root[i].1.value.kind() == Kind::COUNTER;
            if named(&self.root[i].1) && !counted {
                self.unused += self.root[i].1.value.len();
            } else {
                self.root[kept] = self.root[i];
                kept += 1;
            }
        }
        let Effect::Set(value) = effect else {
            self.root.drain(kept..range.end);
            return Ok(());
        };
        let value = value.store(&mut self.values);
        let op = (number, Op { id, origin, value });
        if kept == range.end {
            self.root.insert(kept, op);
        } else {
            self.root[kept] = op;
            self.root.drain(kept + 1..range.end);
        }
        Ok(())
    }

    /// The server gave the operations with these counters of an actor their place in the stream.
    pub fn confirm(&mut self, actor: &super::Actor, counters: RangeInclusive<u32>, seq: Seq) {
        let Some(actor) = self.actor_index(actor) else { return };
        let theirs = |op: &Op| op.origin > 0 && op.id.actor == actor && counters.contains(&op.id.counter);
        for i in 0..self.root.len() {
            let op = self.root[i].1;
            if theirs(&op) {
                let mut origin = self.origins[op.origin as usize - 1];
                origin.place = Place::Stream(seq);
                self.root[i].1.origin = self.intern_origin(origin);
            }
        }
    }
}

/// A counter with more added to it. (An operation that is no counter is overwritten by what adds to it.)
pub(super) fn add(values: &mut Vec<u8>, unused: &mut usize, counter: Packed, by: i64) -> Packed {
    let Scalar::Counter(total) = counter.scalar(values) else {
        return counter;
    };
    *unused += counter.len();
    Packed::push(values, Scalar::Counter(total.saturating_add(by)))
}
