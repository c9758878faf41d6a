//! Reads a document, whatever the bytes are.

use super::{
    CREATION_IS_HEAD, DELETED_RUN, HAS_CREATION, HAS_MORE_CREATIONS, HAS_REST, HAS_UPDATED_AT, SINGLE, TYPED, VERSION,
};
use crate::{
    document::{
        Actor, ActorClock, Creation, Document, ObjectKind, Op, OpId, Origin, Place, Scalar,
        codec::{DecodeError, leb128::Reader},
        object::{Object, ObjectContent},
        op::{Ops, Packed},
        root::UNKNOWN,
        scalar::Kind,
        sequence::{Element, MAX_ELEMENTS, Sequence},
    },
    ids::{ChangeHash, Seq, Timestamp},
    schema::ColumnId,
};

/// The flags, and a document as far as its heads.
pub(super) fn beginning(reader: &mut Reader<'_>) -> Result<(u8, Document), DecodeError> {
    if reader.byte()? != VERSION {
        return Err(DecodeError::Malformed("it is a document of another version"));
    }
    let flags = reader.byte()?;
    let mut d = Document {
        max_op: reader.short()?,
        ..Document::default()
    };
    if flags & HAS_UPDATED_AT != 0 {
        d.updated_at = Some(Timestamp(reader.signed()?));
    }
    d.heads = read_hashes(reader)?;
    Ok((flags, d))
}

pub(super) fn document(reader: &mut Reader<'_>) -> Result<Document, DecodeError> {
    let (flags, mut d) = beginning(reader)?;
    let has = |flag: u8| flags & flag != 0;
    if has(HAS_CREATION) {
        let hash = match d.heads.first() {
            Some(head) if has(CREATION_IS_HEAD) => *head,
            _ => read_hash(reader)?,
        };
        let max_op = reader.short()?;
        d.creation = Some(Creation { hash, max_op });
    }
    if has(HAS_MORE_CREATIONS) {
        d.also = read_list(reader, |reader| {
            let (hash, max_op) = (read_hash(reader)?, reader.short()?);
            Ok(Creation { hash, max_op })
        })?;
        let sorted = d.creation.iter().chain(&d.also).is_sorted_by(|a, b| a < b);
        if d.creation.is_none() || !sorted {
            return Err(DecodeError::Malformed("its first changes are out of order"));
        }
    }
    d.actors = read_list(reader, |reader| {
        let actor = Actor::from(reader.prefixed()?);
        let (seq, max_op) = (reader.unsigned()?, reader.short()?);
        Ok(ActorClock { actor, seq, max_op })
    })?;
    d.origins = read_list(reader, |reader| {
        let place = match reader.unsigned()? {
            0 => Place::Pending,
            seq => Place::Stream(Seq(seq - 1)),
        };
        let time = Timestamp(reader.signed()?);
        Ok(Origin { place, time })
    })?;
    read_root(reader, &mut d)?;
    if has(HAS_REST) {
        read_rest(reader, &mut d)?;
    }
    let unknown = d.root.iter().filter(|(key, _)| *key >= UNKNOWN);
    if unknown
        .clone()
        .any(|(key, _)| usize::from(key - UNKNOWN) >= d.unknown.len())
    {
        return Err(DecodeError::Malformed("it names a key that it does not list"));
    }
    Ok(d)
}

fn read_root(reader: &mut Reader<'_>, d: &mut Document) -> Result<(), DecodeError> {
    let operations = read_list(reader, |reader| {
        let key = u16::try_from(reader.unsigned()?).map_err(|_| DecodeError::Malformed("a key is out of range"))?;
        let id = read_id(reader, d.actors.len())?;
        let origin = reader.short()?;
        if origin as usize > d.origins.len() {
            return Err(DecodeError::Malformed("it names an origin that it does not list"));
        }
        Ok((key, id, origin, reader.short()?))
    })?;
    if !operations.is_sorted_by_key(|(key, ..)| *key) {
        return Err(DecodeError::Malformed("its keys are out of order"));
    }
    let length: u64 = operations.iter().map(|(.., meta)| u64::from(meta >> 4)).sum();
    d.values = reader.bytes(length)?.to_vec();
    d.root.reserve_exact(operations.len());
    let mut offset = 0;
    for (key, id, origin, meta) in operations {
        let length = (meta >> 4) as usize;
        let value = Packed::checked(&d.values, offset, length, Kind::of_stored(meta)?)?;
        offset += length;
        d.root.push((key, Op { id, origin, value }));
    }
    Ok(())
}

fn read_rest(reader: &mut Reader<'_>, d: &mut Document) -> Result<(), DecodeError> {
    d.unknown = read_list(reader, |reader| read_text(reader).map(Into::into))?;
    let actors = d.actors.len();
    d.deleting = read_list(reader, |reader| Ok((read_id(reader, actors)?, read_hash(reader)?)))?;
    d.lost_claims = read_list(reader, |reader| {
        let number = u16::try_from(reader.unsigned()?);
        number
            .map(ColumnId)
            .map_err(|_| DecodeError::Malformed("a column is out of range"))
    })?;
    let (actors, values) = (d.actors.len(), &mut d.values);
    d.objects = read_list(reader, |reader| {
        let id = read_id(reader, actors)?;
        let kind = match reader.unsigned()? {
            0 => ObjectKind::Map,
            1 => ObjectKind::List,
            2 => ObjectKind::Text,
            _ => return Err(DecodeError::UnknownKind),
        };
        let content = if kind == ObjectKind::Map {
            ObjectContent::Map(read_list(reader, |reader| {
                let key = read_text(reader)?.into();
                Ok((key, read_live(reader, actors, values)?))
            })?)
        } else {
            ObjectContent::Sequence(Sequence::of_elements(read_elements(reader, actors, values)?))
        };
        Ok(Object { id, kind, content })
    })?;
    check_tree(d)?;
    let in_order = |a: &Object, b: &Object| (a.id.counter, a.id.actor) < (b.id.counter, b.id.actor);
    if d.objects.windows(2).all(|pair| in_order(&pair[0], &pair[1])) {
        Ok(())
    } else {
        Err(DecodeError::Malformed("its objects are out of order"))
    }
}

/// Objects form a tree: what is in one was numbered after it, and each is in one place. Else showing them might never end.
fn check_tree(d: &Document) -> Result<(), DecodeError> {
    let broken = DecodeError::Malformed("its objects are no tree");
    let mut nested: Vec<(u32, u32)> = Vec::new();
    let mut take = |op: &Op| {
        if op.value.kind().is_object() {
            nested.push((op.id.counter, op.id.actor));
        }
    };
    d.root.iter().for_each(|(_, op)| take(op));
    for object in &d.objects {
        let mut later = true;
        object.live_operations().for_each(|op| {
            later &= op.id.counter > object.id.counter;
            take(op);
        });
        if !later {
            return Err(broken);
        }
    }
    nested.sort_unstable();
    if nested.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(broken);
    }
    Ok(())
}

fn read_live(reader: &mut Reader<'_>, actors: usize, values: &mut Vec<u8>) -> Result<Ops, DecodeError> {
    let count = reader.unsigned()?;
    let mut live = Ops::new();
    for _ in 0..count {
        let id = read_id(reader, actors)?;
        let meta = reader.short()?;
        let bytes = reader.bytes(u64::from(meta >> 4))?;
        values.extend_from_slice(bytes);
        let value = Packed::checked(values, values.len() - bytes.len(), bytes.len(), Kind::of_stored(meta)?)?;
        live.push(Op { id, origin: 0, value });
    }
    Ok(live)
}

fn read_elements(reader: &mut Reader<'_>, actors: usize, values: &mut Vec<u8>) -> Result<Vec<Element>, DecodeError> {
    let mut elements = Vec::new();
    for _ in 0..reader.unsigned()? {
        let kind = reader.unsigned()?;
        let first = read_id(reader, actors)?;
        let nth = |n: usize| -> Result<OpId, DecodeError> {
            let counter = u32::try_from(n).ok().and_then(|n| first.counter.checked_add(n));
            let counter = counter.ok_or(DecodeError::Malformed("a counter overflows"))?;
            Ok(OpId { counter, ..first })
        };
        match kind {
            SINGLE => elements.push(Element {
                id: first,
                live: read_live(reader, actors, values)?,
            }),
            DELETED_RUN => {
                let count = reader.short()? as usize;
                if elements.len() + count > MAX_ELEMENTS {
                    return Err(DecodeError::TooLarge("a text is too long"));
                }
                for n in 0..count {
                    let (id, live) = (nth(n)?, Ops::new());
                    elements.push(Element { id, live });
                }
            }
            TYPED => {
                for (n, character) in read_text(reader)?.chars().enumerate() {
                    let id = nth(n)?;
                    let value = Packed::push(values, Scalar::Str(character.encode_utf8(&mut [0; 4])));
                    let live = Ops::from_elem(Op { id, origin: 0, value }, 1);
                    elements.push(Element { id, live });
                }
            }
            _ => return Err(DecodeError::UnknownKind),
        }
    }
    Ok(elements)
}

fn read_id(reader: &mut Reader<'_>, actors: usize) -> Result<OpId, DecodeError> {
    let (counter, actor) = (reader.short()?, reader.short()?);
    if (actor as usize) < actors {
        Ok(OpId { counter, actor })
    } else {
        Err(DecodeError::Malformed("an operation names an actor that is not there"))
    }
}

fn read_text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    std::str::from_utf8(reader.prefixed()?).map_err(|_| DecodeError::Malformed("a text is not UTF-8"))
}

fn read_hash(reader: &mut Reader<'_>) -> Result<ChangeHash, DecodeError> {
    let bytes = reader.bytes(32)?;
    Ok(ChangeHash(bytes.try_into().expect("BUG: 32 bytes were read")))
}

fn read_hashes(reader: &mut Reader<'_>) -> Result<Vec<ChangeHash>, DecodeError> {
    read_list(reader, read_hash)
}

/// Reads a count and so many items. Memory grows with what is there, not with what the count says.
fn read_list<'a, T>(
    reader: &mut Reader<'a>,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.unsigned()?;
    let mut items = Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(reader.len()).min(64));
    for _ in 0..count {
        items.push(item(reader)?);
    }
    Ok(items)
}
