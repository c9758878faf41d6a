//! Writes a change.

use std::io::Write;

use super::{
    Action, Change, MAGIC, OpKey, OpRef, PACK_FROM,
    column::{write_booleans, write_differences, write_runs},
    hash,
    leb128::{write_signed, write_unsigned},
};
use crate::{
    document::{ObjectKind, Scalar},
    ids::ChangeHash,
};

/// The chunk's bytes and the change's hash.
pub(in crate::document) fn encode(change: &Change) -> (Vec<u8>, ChangeHash) {
    let contents = contents(change);
    let hash = hash(&contents);
    let chunk = |kind: u8, contents: &[u8]| {
        let mut out = Vec::with_capacity(contents.len() + 16);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&hash.0[..4]);
        out.push(kind);
        write_unsigned(&mut out, contents.len() as u64);
        out.extend_from_slice(contents);
        out
    };
    if contents.len() <= PACK_FROM {
        return (chunk(1, &contents), hash);
    }
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate
        .write_all(&contents)
        .expect("BUG: packing into memory cannot fail");
    let packed = deflate.finish().expect("BUG: packing into memory cannot fail");
    if packed.len() < contents.len() {
        (chunk(2, &packed), hash)
    } else {
        (chunk(1, &contents), hash)
    }
}

fn contents(change: &Change) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_unsigned(&mut out, change.deps.len() as u64);
    change.deps.iter().for_each(|dep| out.extend_from_slice(&dep.0));
    let prefixed = |out: &mut Vec<u8>, bytes: &[u8]| {
        write_unsigned(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    };
    prefixed(&mut out, &change.actor().0);
    write_unsigned(&mut out, change.seq);
    write_unsigned(&mut out, change.start_op);
    write_signed(&mut out, change.time);
    prefixed(&mut out, change.message.as_deref().unwrap_or_default().as_bytes());
    write_unsigned(&mut out, change.actors.len() as u64 - 1);
    change.actors[1..].iter().for_each(|actor| prefixed(&mut out, &actor.0));
    let columns = columns(change);
    let written: Vec<_> = columns.iter().filter(|(_, data)| !data.is_empty()).collect();
    write_unsigned(&mut out, written.len() as u64);
    for (specification, data) in &written {
        write_unsigned(&mut out, u64::from(*specification));
        write_unsigned(&mut out, data.len() as u64);
    }
    for (_, data) in &written {
        out.extend_from_slice(data);
    }
    out
}

/// The columns with their specifications, in order.
fn columns(change: &Change) -> [(u32, Vec<u8>); 12] {
    let ops = &change.operations;
    let element = |op: &super::Operation| match &op.key {
        OpKey::Element(id) => Some(*id),
        _ => None,
    };
    let key_counter = |op: &super::Operation| match &op.key {
        OpKey::Map(_) => None,
        OpKey::Head => Some(0),
        OpKey::Element(id) => Some(id.counter),
    };
    let key_text = |op: &super::Operation| match &op.key {
        OpKey::Map(key) => Some(key.clone()),
        _ => None,
    };
    let actor = |id: OpRef| u64::from(id.actor);
    let preds = &change.preds;
    let (meta, values) = values(change);
    let runs = |values: Vec<Option<u64>>| column(|out| write_runs(out, &values));
    [
        (0x01, runs(ops.iter().map(|op| op.object.map(actor)).collect())),
        (
            0x02,
            runs(ops.iter().map(|op| op.object.map(|id| id.counter)).collect()),
        ),
        (0x11, runs(ops.iter().map(|op| element(op).map(actor)).collect())),
        (
            0x13,
            column(|out| write_differences(out, &ops.iter().map(key_counter).collect::<Vec<_>>())),
        ),
        (
            0x15,
            column(|out| write_runs(out, &ops.iter().map(key_text).collect::<Vec<_>>())),
        ),
        (0x34, column(|out| write_booleans(out, ops.iter().map(|op| op.insert)))),
        (
            0x42,
            runs(ops.iter().map(|op| Some(action_number(&op.action))).collect()),
        ),
        (0x56, runs(meta)),
        (0x57, values),
        (
            0x70,
            runs(ops.iter().map(|op| Some(u64::from(op.pred_count))).collect()),
        ),
        (0x71, runs(preds.iter().map(|id| Some(actor(*id))).collect())),
        (
            0x73,
            column(|out| write_differences(out, &preds.iter().map(|id| Some(id.counter)).collect::<Vec<_>>())),
        ),
    ]
}

fn column(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn action_number(action: &Action) -> u64 {
    match action {
        Action::Make(ObjectKind::Map) => 0,
        Action::Set(_) => 1,
        Action::Make(ObjectKind::List) => 2,
        Action::Delete => 3,
        Action::Make(ObjectKind::Text) => 4,
        Action::Increment(_) => 5,
        Action::Mark => unreachable!("BUG: marks are not written"),
    }
}

/// Each value's length and kind, and the values' bytes.
fn values(change: &Change) -> (Vec<Option<u64>>, Vec<u8>) {
    let mut data = Vec::new();
    let mut meta = Vec::with_capacity(change.operations.len());
    for op in &change.operations {
        let before = data.len();
        let kind = match &op.action {
            Action::Set(scalar) => write_scalar(&mut data, scalar),
            Action::Increment(by) => {
                write_signed(&mut data, *by);
                4
            }
            _ => 0,
        };
        meta.push(Some(((data.len() - before) as u64) << 4 | kind));
    }
    (meta, data)
}

fn write_scalar(out: &mut Vec<u8>, scalar: &Scalar) -> u64 {
    match scalar {
        Scalar::Null | Scalar::Object(_) => 0,
        Scalar::Bool(false) => 1,
        Scalar::Bool(true) => 2,
        Scalar::Uint(value) => {
            write_unsigned(out, *value);
            3
        }
        Scalar::Int(value) => {
            write_signed(out, *value);
            4
        }
        Scalar::F64(value) => {
            out.extend_from_slice(&value.to_le_bytes());
            5
        }
        Scalar::Str(text) => {
            out.extend_from_slice(text.as_bytes());
            6
        }
        Scalar::Bytes(bytes) => {
            out.extend_from_slice(bytes);
            7
        }
        Scalar::Counter(value) => {
            write_signed(out, *value);
            8
        }
        Scalar::Millis(value) => {
            write_signed(out, *value);
            9
        }
    }
}
