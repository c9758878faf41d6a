//! Reads a change, whatever the bytes are.

use std::io::Read;

use smallvec::{SmallVec, smallvec};

use super::{
    Change, DecodeError, DecodedChange, Kind, MAGIC, MAX_CHANGE_BYTES, MAX_OPERATIONS, Mark, OpRef, PackedAction,
    PackedKey, PackedOperation,
    column::{Booleans, Differences, Runs},
    hash,
    leb128::Reader,
};
use crate::{
    document::{Actor, ObjectKind, Scalar, op::Packed},
    ids::ChangeHash,
};

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
        Ok(Self::new(hash, read_contents(contents)?))
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
    let mut deps = SmallVec::new();
    for _ in 0..reader.unsigned()? {
        deps.push(ChangeHash(
            reader.bytes(32)?.try_into().expect("BUG: 32 bytes were read"),
        ));
    }
    let actor = read_actor(&mut reader)?;
    let (seq, start_op, time) = (reader.unsigned()?, reader.unsigned()?, reader.signed()?);
    let message =
        std::str::from_utf8(reader.prefixed()?).map_err(|_| DecodeError::Malformed("its message is not UTF-8"))?;
    let mut actors = smallvec![actor];
    for _ in 0..reader.unsigned()? {
        actors.push(read_actor(&mut reader)?);
    }
    let out_of_range = DecodeError::Malformed("its numbers are out of range");
    let start_op = u32::try_from(start_op)
        .ok()
        .filter(|n| *n > 0 && seq > 0)
        .ok_or(out_of_range)?;
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
    Ok(Actor::from(bytes))
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
    expand: &'a [u8],
    mark_name: &'a [u8],
}

impl<'a> Columns<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = reader.unsigned()?;
        let mut directory = *reader;
        for _ in 0..count {
            reader.unsigned()?;
            reader.unsigned()?;
        }
        let mut columns = Self::default();
        let mut last = None;
        for _ in 0..count {
            let (specification, length) = (directory.unsigned()?, directory.unsigned()?);
            if last.is_some_and(|last| last >= specification) {
                return Err(DecodeError::Malformed("its columns are out of order"));
            }
            last = Some(specification);
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
                0x94 => columns.expand = data,
                0xa5 => columns.mark_name = data,
                // What later versions add: not interpreted.
                _ => {}
            }
        }
        Ok(columns)
    }

    fn operations(&self, change: &mut Change) -> Result<(), DecodeError> {
        let mut ids = Ids::new(self, change.actors.len() as u64);
        let mut actions = Runs::<u64>::new(self.action);
        let mut inserts = Booleans::new(self.insert);
        let mut metas = Runs::<u64>::new(self.value_meta);
        let mut offset = 0;
        let mut pred_counts = Runs::<u64>::new(self.pred_count);
        let mut expands = Booleans::new(self.expand);
        let mut mark_names = Runs::<&str>::new(self.mark_name);
        change.values = self.value.to_vec();
        // Enough for a row's insert at once; more grows with what is really there.
        change.operations.reserve(16.min(1 + self.value_meta.len()));
        change.keys.reserve(self.key_text.len());
        while !actions.is_done() {
            let Some(action) = actions.next()? else {
                return Err(DecodeError::Malformed("an operation does nothing"));
            };
            if change.operations.len() == MAX_OPERATIONS {
                return Err(DecodeError::TooLarge("too many operations"));
            }
            let meta = metas.next()?.unwrap_or(0);
            let length = usize::try_from(meta >> 4).map_err(|_| DecodeError::Malformed("it ends too early"))?;
            let value = Packed::checked(&change.values, offset, length, Kind::of_change(meta)?)?;
            offset += length;
            let (expand, mark_name) = (expands.next()?, mark_names.next()?);
            let action = match action {
                7 => change.mark(value, mark_name, expand),
                _ => read_action(action, value, &mut change.values)?,
            };
            let (object, key) = (ids.object()?, ids.key(&mut change.keys)?);
            let count = pred_counts.next()?.unwrap_or(0);
            let first_pred = change.preds.len();
            if count > (MAX_OPERATIONS - first_pred) as u64 {
                return Err(DecodeError::TooLarge("too many predecessors"));
            }
            for _ in 0..count {
                change.preds.push(ids.pred()?);
            }
            change.operations.push(PackedOperation {
                object,
                key,
                insert: inserts.next()?,
                action,
                first_pred: first_pred as u32,
                pred_count: count as u32,
            });
        }
        let read = metas.is_done() && pred_counts.is_done() && inserts.is_done() && ids.are_done();
        let read = read && expands.is_done() && mark_names.is_done();
        if !read || offset != self.value.len() {
            return Err(DecodeError::Malformed("values are left over"));
        }
        if u32::try_from(u64::from(change.start_op) + change.operations.len() as u64).is_err() {
            return Err(DecodeError::Malformed("its numbers are out of range"));
        }
        Ok(())
    }
}

impl Change {
    /// Keeps what a mark says.
    fn mark(&mut self, value: Packed, name: Option<&str>, expand: bool) -> PackedAction {
        let name = name.map(|name| {
            let start = self.keys.len() as u32;
            self.keys.push_str(name);
            (start, self.keys.len() as u32)
        });
        self.marks.push(Mark { value, name, expand });
        PackedAction::Mark(self.marks.len() as u32 - 1)
    }
}

/// Reads the ids of objects, keys and predecessors.
struct Ids<'a> {
    actors: u64,
    object_actor: Runs<'a, u64>,
    object_counter: Runs<'a, u64>,
    key_actor: Runs<'a, u64>,
    key_counter: Differences<'a>,
    key_text: Runs<'a, &'a str>,
    /// The last key, and where it was put.
    last_key: Option<(&'a str, PackedKey)>,
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
            last_key: None,
            pred_actor: Runs::new(columns.pred_actor),
            pred_counter: Differences::new(columns.pred_counter),
        }
    }

    fn id(&self, actor: u64, counter: u64) -> Result<OpRef, DecodeError> {
        if actor >= self.actors {
            return Err(DecodeError::Malformed("it names an actor that it does not list"));
        }
        let counter = u32::try_from(counter).map_err(|_| DecodeError::Malformed("its numbers are out of range"))?;
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

    fn key(&mut self, keys: &mut String) -> Result<PackedKey, DecodeError> {
        match (self.key_text.next()?, self.key_actor.next()?, self.key_counter.next()?) {
            (Some(text), None, None) => {
                // A key that is repeated is kept once.
                if let Some((last, place)) = self.last_key
                    && std::ptr::eq(last, text)
                {
                    return Ok(place);
                }
                let start = keys.len() as u32;
                keys.push_str(text);
                let place = PackedKey::Map(start, keys.len() as u32);
                self.last_key = Some((text, place));
                Ok(place)
            }
            (None, None, Some(0)) => Ok(PackedKey::Head),
            (None, Some(actor), Some(counter)) => self.id(actor, counter).map(PackedKey::Element),
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

fn read_action(number: u64, value: Packed, values: &mut Vec<u8>) -> Result<PackedAction, DecodeError> {
    Ok(match number {
        0 | 6 => PackedAction::Make(ObjectKind::Map),
        1 => PackedAction::Set(value),
        2 => PackedAction::Make(ObjectKind::List),
        3 => PackedAction::Delete,
        4 => PackedAction::Make(ObjectKind::Text),
        5 => match value.scalar(values) {
            Scalar::Int(_) => PackedAction::Increment(value),
            Scalar::Uint(by) => {
                let by = i64::try_from(by).map_err(|_| DecodeError::UnknownKind)?;
                PackedAction::Increment(Packed::push(values, Scalar::Int(by)))
            }
            _ => return Err(DecodeError::UnknownKind),
        },
        _ => return Err(DecodeError::UnknownKind),
    })
}
