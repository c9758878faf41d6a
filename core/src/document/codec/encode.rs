//! Writes a change.

use std::io::Write;

use super::{
    Change, Kind, MAGIC, Mark, OpRef, PACK_FROM, PackedAction, PackedKey, PackedOperation,
    column::{write_booleans, write_differences, write_runs},
    hash,
    leb128::{write_signed, write_unsigned},
};
use crate::{
    document::{ObjectKind, op::Packed},
    ids::ChangeHash,
};

/// How many columns a change can have.
const COLUMNS: usize = 14;

/// The chunk's bytes and the change's hash.
pub(in crate::document) fn encode(change: &Change) -> (Vec<u8>, ChangeHash) {
    let columns = Columns::of(change);
    let head = head(change, &columns);
    let length = head.len() + columns.bytes.len();
    let mut chunk = Vec::with_capacity(length + 16);
    begin(&mut chunk, 1, length);
    chunk.extend_from_slice(&head);
    chunk.extend_from_slice(&columns.bytes);
    let contents = chunk.len() - length;
    let hash = hash(&chunk[contents..]);
    chunk[4..8].copy_from_slice(&hash.0[..4]);
    if length > PACK_FROM {
        let packed = pack(&chunk[contents..], hash);
        if packed.len() < chunk.len() {
            return (packed, hash);
        }
    }
    (chunk, hash)
}

/// The hash of the change as it would be encoded.
pub(super) fn hash_of(change: &Change) -> ChangeHash {
    let columns = Columns::of(change);
    let mut contents = head(change, &columns);
    contents.extend_from_slice(&columns.bytes);
    hash(&contents)
}

/// What stands before a chunk's contents; the checksum is filled in later.
fn begin(chunk: &mut Vec<u8>, kind: u8, length: usize) {
    chunk.extend_from_slice(&MAGIC);
    chunk.extend_from_slice(&[0; 4]);
    chunk.push(kind);
    write_unsigned(chunk, length as u64);
}

fn pack(contents: &[u8], hash: ChangeHash) -> Vec<u8> {
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate
        .write_all(contents)
        .expect("BUG: packing into memory cannot fail");
    let packed = deflate.finish().expect("BUG: packing into memory cannot fail");
    let mut chunk = Vec::with_capacity(packed.len() + 16);
    begin(&mut chunk, 2, packed.len());
    chunk[4..8].copy_from_slice(&hash.0[..4]);
    chunk.extend_from_slice(&packed);
    chunk
}

/// The contents up to the columns.
fn head(change: &Change, columns: &Columns) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + 32 * change.deps.len());
    write_unsigned(&mut out, change.deps.len() as u64);
    change.deps.iter().for_each(|dep| out.extend_from_slice(&dep.0));
    let prefixed = |out: &mut Vec<u8>, bytes: &[u8]| {
        write_unsigned(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    };
    prefixed(&mut out, change.actor().as_bytes());
    write_unsigned(&mut out, change.seq);
    write_unsigned(&mut out, change.start_op.into());
    write_signed(&mut out, change.time);
    prefixed(&mut out, change.message.as_deref().unwrap_or_default().as_bytes());
    write_unsigned(&mut out, change.actors.len() as u64 - 1);
    change.actors[1..]
        .iter()
        .for_each(|actor| prefixed(&mut out, actor.as_bytes()));
    let written = || columns.lengths.iter().filter(|(_, length)| *length > 0);
    write_unsigned(&mut out, written().count() as u64);
    for (specification, length) in written() {
        write_unsigned(&mut out, u64::from(*specification));
        write_unsigned(&mut out, *length as u64);
    }
    out
}

/// The columns one after the other, with their specifications and lengths, in order.
struct Columns {
    bytes: Vec<u8>,
    lengths: [(u8, usize); COLUMNS],
}

impl Columns {
    fn of(change: &Change) -> Self {
        let (ops, preds) = (&change.operations[..], &change.preds[..]);
        let mut columns = Self {
            bytes: Vec::with_capacity(64 + change.keys.len() + change.values.len() + 3 * ops.len()),
            lengths: [(0, 0); COLUMNS],
        };
        let mut place = 0;
        let mut column = |specification: u8, write: &dyn Fn(&mut Vec<u8>)| {
            let before = columns.bytes.len();
            write(&mut columns.bytes);
            columns.lengths[place] = (specification, columns.bytes.len() - before);
            place += 1;
        };
        let object = |i: usize| ops[i].object;
        column(0x01, &|out| {
            write_runs(out, ops.len(), |i| object(i).map(|id| u64::from(id.actor)));
        });
        column(0x02, &|out| {
            write_runs(out, ops.len(), |i| object(i).map(|id| u64::from(id.counter)));
        });
        column(0x11, &|out| {
            write_runs(out, ops.len(), |i| element(&ops[i]).map(|id| u64::from(id.actor)));
        });
        column(0x13, &|out| write_differences(out, ops.len(), |i| key_counter(&ops[i])));
        column(0x15, &|out| write_runs(out, ops.len(), |i| key_text(change, &ops[i])));
        column(0x34, &|out| write_booleans(out, ops.iter().map(|op| op.insert)));
        column(0x42, &|out| {
            write_runs(out, ops.len(), |i| Some(action_number(ops[i].action)));
        });
        column(0x56, &|out| {
            write_runs(out, ops.len(), |i| Some(value_meta(change, ops[i].action)));
        });
        column(0x57, &|out| out.extend_from_slice(&change.values));
        column(0x70, &|out| {
            write_runs(out, ops.len(), |i| Some(u64::from(ops[i].pred_count)));
        });
        column(0x71, &|out| {
            write_runs(out, preds.len(), |i| Some(u64::from(preds[i].actor)));
        });
        column(0x73, &|out| {
            write_differences(out, preds.len(), |i| Some(preds[i].counter));
        });
        let mark = |i: usize| mark(change, ops[i].action);
        column(0x94, &|out| {
            if change.marks.iter().any(|mark| mark.expand) {
                write_booleans(out, (0..ops.len()).map(|i| mark(i).is_some_and(|mark| mark.expand)));
            }
        });
        column(0xa5, &|out| {
            write_runs(out, ops.len(), |i| {
                let (start, end) = mark(i)?.name?;
                Some(&change.keys[start as usize..end as usize])
            });
        });
        columns
    }
}

fn element(op: &PackedOperation) -> Option<OpRef> {
    match op.key {
        PackedKey::Element(id) => Some(id),
        _ => None,
    }
}

fn key_counter(op: &PackedOperation) -> Option<u32> {
    match op.key {
        PackedKey::Map(..) => None,
        PackedKey::Head => Some(0),
        PackedKey::Element(id) => Some(id.counter),
    }
}

fn key_text<'a>(change: &'a Change, op: &PackedOperation) -> Option<&'a str> {
    match op.key {
        PackedKey::Map(start, end) => Some(&change.keys[start as usize..end as usize]),
        _ => None,
    }
}

fn action_number(action: PackedAction) -> u64 {
    match action {
        PackedAction::Make(ObjectKind::Map) => 0,
        PackedAction::Set(_) => 1,
        PackedAction::Make(ObjectKind::List) => 2,
        PackedAction::Delete => 3,
        PackedAction::Make(ObjectKind::Text) => 4,
        PackedAction::Increment(_) => 5,
        PackedAction::Mark(_) => 7,
    }
}

fn mark(change: &Change, action: PackedAction) -> Option<&Mark> {
    match action {
        PackedAction::Mark(place) => Some(&change.marks[place as usize]),
        _ => None,
    }
}

/// A value's length and kind.
fn value_meta(change: &Change, action: PackedAction) -> u64 {
    let value = match action {
        PackedAction::Set(value) | PackedAction::Increment(value) => Some(value),
        // Where a mark ends it has no value.
        _ => mark(change, action)
            .filter(|mark| mark.name.is_some())
            .map(|mark| mark.value),
    };
    value.map_or(Kind::NULL.bits(), Packed::meta).into()
}
