//! Reads a change, whatever the bytes are.

use std::{io::Read, sync::Arc};

use super::{
    Action, Change, DecodeError, DecodedChange, MAGIC, MAX_CHANGE_BYTES, MAX_OPERATIONS, OpKey, OpRef,
    column::{Booleans, Differences, Runs},
    hash,
    leb128::Reader,
};
use crate::{
    document::{Actor, ObjectKind, Scalar},
    ids::ChangeHash,
};

/// The most bytes that a change's keys may have together once their runs are written out.
const MAX_ALL_KEYS_BYTES: usize = 2 * MAX_CHANGE_BYTES;

impl DecodedChange {
    /// Decodes one change chunk and checks its checksum.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_CHANGE_BYTES {
            return Err(DecodeError::TooLarge("too many bytes"));
        }
        let mut reader = Reader::new(bytes);
        if reader.bytes(4)? != MAGIC {
            return Err(DecodeError::Malformed("it does not begin like one"));
        }
        let checksum = reader.bytes(4)?;
        let kind = reader.bytes(1)?[0];
        let data = reader.prefixed()?;
        if !reader.is_empty() {
            return Err(DecodeError::Malformed("bytes are left over"));
        }
        let unpacked;
        let contents = match kind {
            1 => data,
            2 => {
                unpacked = unpack(data)?;
                &unpacked
            }
            _ => return Err(DecodeError::Malformed("it is another kind of chunk")),
        };
        let hash = hash(contents);
        if hash.0[..4] != *checksum {
            return Err(DecodeError::Checksum);
        }
        Ok(Self {
            hash,
            change: read_contents(contents)?,
        })
    }
}

fn unpack(data: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut contents = Vec::with_capacity(data.len() * 2);
    flate2::read::DeflateDecoder::new(data)
        .take(MAX_CHANGE_BYTES as u64 + 1)
        .read_to_end(&mut contents)
        .map_err(|_| DecodeError::Malformed("it cannot be unpacked"))?;
    if contents.len() > MAX_CHANGE_BYTES {
        Err(DecodeError::TooLarge("too many bytes when unpacked"))
    } else {
        Ok(contents)
    }
}

fn read_contents(contents: &[u8]) -> Result<Change, DecodeError> {
    let mut reader = Reader::new(contents);
    let mut deps = Vec::new();
    for _ in 0..reader.unsigned()? {
        deps.push(ChangeHash(
            reader.bytes(32)?.try_into().expect("BUG: 32 bytes were read"),
        ));
    }
    let actor = read_actor(&mut reader)?;
    let (seq, start_op, time) = (reader.unsigned()?, reader.unsigned()?, reader.signed()?);
    let message =
        std::str::from_utf8(reader.prefixed()?).map_err(|_| DecodeError::Malformed("its message is not UTF-8"))?;
    let mut actors = vec![actor];
    for _ in 0..reader.unsigned()? {
        actors.push(read_actor(&mut reader)?);
    }
    if seq == 0 || start_op == 0 || start_op > u64::from(u32::MAX) {
        return Err(DecodeError::Malformed("its numbers are out of range"));
    }
    let mut change = Change::new(actors, seq, start_op);
    change.deps = deps;
    change.time = time;
    change.message = (!message.is_empty()).then(|| message.to_owned());
    Columns::read(&mut reader)?.operations(&mut change)?;
    Ok(change)
}

fn read_actor(reader: &mut Reader<'_>) -> Result<Actor, DecodeError> {
    let bytes = reader.prefixed()?;
    if bytes.len() > 64 {
        return Err(DecodeError::TooLarge("an actor's name is too long"));
    }
    Ok(Actor(bytes.to_vec()))
}

/// The columns' bytes.
#[derive(Default)]
struct Columns<'a> {
    object_actor: &'a [u8],
    object_counter: &'a [u8],
    key_actor: &'a [u8],
    key_counter: &'a [u8],
    key_text: &'a [u8],
    insert: &'a [u8],
    action: &'a [u8],
    value_meta: &'a [u8],
    value: &'a [u8],
    pred_count: &'a [u8],
    pred_actor: &'a [u8],
    pred_counter: &'a [u8],
}

impl<'a> Columns<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut directory = Vec::new();
        let mut last = None;
        for _ in 0..reader.unsigned()? {
            let (specification, length) = (reader.unsigned()?, reader.unsigned()?);
            if last.is_some_and(|last| last >= specification) {
                return Err(DecodeError::Malformed("its columns are out of order"));
            }
            last = Some(specification);
            directory.push((specification, length));
        }
        let mut columns = Self::default();
        for (specification, length) in directory {
            let data = reader.bytes(length)?;
            if specification & 0x08 != 0 {
                return Err(DecodeError::Malformed(
                    "a column is packed, which a change's may not be",
                ));
            }
            match specification {
                0x01 => columns.object_actor = data,
                0x02 => columns.object_counter = data,
                0x11 => columns.key_actor = data,
                0x13 => columns.key_counter = data,
                0x15 => columns.key_text = data,
                0x34 => columns.insert = data,
                0x42 => columns.action = data,
                0x56 => columns.value_meta = data,
                0x57 => columns.value = data,
                0x70 => columns.pred_count = data,
                0x71 => columns.pred_actor = data,
                0x73 => columns.pred_counter = data,
                // Marks and what later versions add: carried along in the bytes, not interpreted.
                _ => {}
            }
        }
        Ok(columns)
    }

    fn operations(&self, change: &mut Change) -> Result<(), DecodeError> {
        let actors = change.actors.len() as u64;
        let mut ids = Ids::new(self, actors);
        let mut actions = Runs::<u64>::new(self.action);
        let mut inserts = Booleans::new(self.insert);
        let mut metas = Runs::<u64>::new(self.value_meta);
        let mut values = Reader::new(self.value);
        let mut pred_counts = Runs::<u64>::new(self.pred_count);
        let (mut all_preds, mut preds) = (0, Vec::new());
        while !actions.is_done() {
            let Some(action) = actions.next()? else {
                return Err(DecodeError::Malformed("an operation does nothing"));
            };
            if change.operations.len() == MAX_OPERATIONS {
                return Err(DecodeError::TooLarge("too many operations"));
            }
            let value = read_scalar(metas.next()?.unwrap_or(0), &mut values)?;
            let action = read_action(action, value)?;
            let (object, key) = (ids.object()?, ids.key()?);
            preds.clear();
            let count = pred_counts.next()?.unwrap_or(0);
            // It may be any number, so nothing is added to it.
            if count > MAX_OPERATIONS as u64 - all_preds {
                return Err(DecodeError::TooLarge("too many predecessors"));
            }
            all_preds += count;
            for _ in 0..count {
                preds.push(ids.pred()?);
            }
            change.push(object, key, inserts.next()?, action, &preds);
        }
        let read = metas.is_done() && pred_counts.is_done() && inserts.is_done() && values.is_empty();
        if read && ids.are_done() {
            Ok(())
        } else {
            Err(DecodeError::Malformed("values are left over"))
        }
    }
}

/// Reads the ids of objects, keys and predecessors.
struct Ids<'a> {
    actors: u64,
    object_actor: Runs<'a, u64>,
    object_counter: Runs<'a, u64>,
    key_actor: Runs<'a, u64>,
    key_counter: Differences<'a>,
    key_text: Runs<'a, Arc<str>>,
    key_bytes: usize,
    pred_actor: Runs<'a, u64>,
    pred_counter: Differences<'a>,
}

impl<'a> Ids<'a> {
    fn new(columns: &Columns<'a>, actors: u64) -> Self {
        Self {
            actors,
            object_actor: Runs::new(columns.object_actor),
            object_counter: Runs::new(columns.object_counter),
            key_actor: Runs::new(columns.key_actor),
            key_counter: Differences::new(columns.key_counter),
            key_text: Runs::new(columns.key_text),
            key_bytes: 0,
            pred_actor: Runs::new(columns.pred_actor),
            pred_counter: Differences::new(columns.pred_counter),
        }
    }

    fn id(&self, actor: u64, counter: u64) -> Result<OpRef, DecodeError> {
        if actor >= self.actors {
            return Err(DecodeError::Malformed("it names an actor that it does not list"));
        }
        Ok(OpRef {
            counter,
            actor: actor as u32,
        })
    }

    fn are_done(&self) -> bool {
        self.object_actor.is_done()
            && self.object_counter.is_done()
            && self.key_actor.is_done()
            && self.key_counter.is_done()
            && self.key_text.is_done()
            && self.pred_actor.is_done()
            && self.pred_counter.is_done()
    }

    fn object(&mut self) -> Result<Option<OpRef>, DecodeError> {
        match (self.object_actor.next()?, self.object_counter.next()?) {
            (None, None) => Ok(None),
            (Some(actor), Some(counter)) => self.id(actor, counter).map(Some),
            _ => Err(DecodeError::Malformed("half an object's id")),
        }
    }

    fn key(&mut self) -> Result<OpKey, DecodeError> {
        match (self.key_text.next()?, self.key_actor.next()?, self.key_counter.next()?) {
            (Some(text), None, None) => {
                self.key_bytes += text.len();
                if self.key_bytes > MAX_ALL_KEYS_BYTES {
                    return Err(DecodeError::TooLarge("its keys are too long"));
                }
                Ok(OpKey::Map(text))
            }
            (None, None, Some(0)) => Ok(OpKey::Head),
            (None, Some(actor), Some(counter)) => self.id(actor, counter).map(OpKey::Element),
            _ => Err(DecodeError::Malformed("an operation without a place")),
        }
    }

    fn pred(&mut self) -> Result<OpRef, DecodeError> {
        match (self.pred_actor.next()?, self.pred_counter.next()?) {
            (Some(actor), Some(counter)) => self.id(actor, counter),
            _ => Err(DecodeError::Malformed("a predecessor is missing")),
        }
    }
}

fn read_action(number: u64, value: Scalar) -> Result<Action, DecodeError> {
    Ok(match (number, value) {
        (0 | 6, _) => Action::Make(ObjectKind::Map),
        (1, value) => Action::Set(value),
        (2, _) => Action::Make(ObjectKind::List),
        (3, _) => Action::Delete,
        (4, _) => Action::Make(ObjectKind::Text),
        (5, Scalar::Int(by)) => Action::Increment(by),
        (5, Scalar::Uint(by)) => Action::Increment(i64::try_from(by).map_err(|_| DecodeError::UnknownKind)?),
        (7, _) => Action::Mark,
        _ => return Err(DecodeError::UnknownKind),
    })
}

fn read_scalar(meta: u64, values: &mut Reader<'_>) -> Result<Scalar, DecodeError> {
    let data = values.bytes(meta >> 4)?;
    let mut reader = Reader::new(data);
    let scalar = match meta & 0x0f {
        0 => Scalar::Null,
        1 => Scalar::Bool(false),
        2 => Scalar::Bool(true),
        3 => Scalar::Uint(reader.unsigned()?),
        4 => Scalar::Int(reader.signed()?),
        5 => Scalar::F64(f64::from_le_bytes(
            data.try_into()
                .map_err(|_| DecodeError::Malformed("a float is not 8 bytes"))?,
        )),
        6 => Scalar::Str(
            std::str::from_utf8(data)
                .map_err(|_| DecodeError::Malformed("a text is not UTF-8"))?
                .to_owned(),
        ),
        7 => Scalar::Bytes(data.to_vec()),
        8 => Scalar::Counter(reader.signed()?),
        9 => Scalar::Millis(reader.signed()?),
        _ => return Err(DecodeError::UnknownKind),
    };
    let whole = matches!(meta & 0x0f, 5..=7) || reader.is_empty();
    if whole {
        Ok(scalar)
    } else {
        Err(DecodeError::Malformed("a value has bytes left over"))
    }
}
