//! The compact form in which stores keep a document and snapshots carry it.
//!
//! ```text
//! version, flags, max op, [updated at], heads, [creation], actors, origins, root, values, [the rest]
//! root     = for each live operation: key, counter, actor, origin, length and kind of its value
//! the rest = unknown keys, deleting changes, lost claims, objects
//! ```
//!
//! Numbers are LEB128, hashes their 32 bytes; values are as Automerge's changes have them. A text's elements are kept in runs:
//! what one person typed in one go is its characters and little more.

use super::{
    ActorClock, Creation, Document, Op, OpId, Origin, Place,
    codec::{
        DecodeError,
        leb128::{Reader, write_signed, write_unsigned},
    },
    object::{Object, ObjectContent},
    op::{Ops, Packed},
    scalar::{Kind, ObjectKind, Scalar},
    sequence::{Element, MAX_ELEMENTS, Sequence},
};
use crate::{
    document::Actor,
    ids::{ChangeHash, Seq, Timestamp},
    schema::ColumnId,
};

/// The first byte: another form would have another.
const VERSION: u8 = 2;

const HAS_UPDATED_AT: u8 = 1;
const HAS_CREATION: u8 = 2;
/// The first change is the only head.
const CREATION_IS_HEAD: u8 = 4;
const HAS_REST: u8 = 8;

/// A run of a sequence.
const TYPED: u64 = 0;
const DELETED_RUN: u64 = 1;
const SINGLE: u64 = 2;

impl Document {
    /// The compact form that stores keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        let capacity = 96 + 24 * (self.root.len() + self.actors.len()) / 2 + self.values.len() + 32 * self.heads.len();
        let mut writer = Writer {
            document: self,
            out: Vec::with_capacity(capacity),
            origins: Vec::new(),
        };
        writer.document();
        writer.out
    }

    /// Reads [`Document::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let document = read_document(&mut reader)?;
        if reader.is_empty() {
            Ok(document)
        } else {
            Err(DecodeError::Malformed("bytes are left over"))
        }
    }

    /// The heads alone of [`Document::to_bytes`], without reading the rest.
    pub fn heads_of(bytes: &[u8]) -> Result<Vec<ChangeHash>, DecodeError> {
        let (_, beginning) = read_beginning(&mut Reader::new(bytes))?;
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

struct Writer<'a> {
    document: &'a Document,
    out: Vec<u8>,
    /// The numbers of the origins in use, in the order in which they are written.
    origins: Vec<u32>,
}

impl Writer<'_> {
    fn unsigned(&mut self, number: u64) {
        write_unsigned(&mut self.out, number);
    }

    fn prefixed(&mut self, bytes: &[u8]) {
        self.unsigned(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn hashes(&mut self, hashes: &[ChangeHash]) {
        self.unsigned(hashes.len() as u64);
        hashes.iter().for_each(|hash| self.out.extend_from_slice(&hash.0));
    }

    fn document(&mut self) {
        let d = self.document;
        let creation_is_head = d.creation.is_some_and(|c| d.heads == [c.hash]);
        let has_rest =
            !(d.unknown.is_empty() && d.deleting.is_empty() && d.lost_claims.is_empty() && d.objects.is_empty());
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        self.out.push(VERSION);
        self.out.push(
            flag(d.updated_at.is_some(), HAS_UPDATED_AT)
                | flag(d.creation.is_some(), HAS_CREATION)
                | flag(creation_is_head, CREATION_IS_HEAD)
                | flag(has_rest, HAS_REST),
        );
        self.unsigned(d.max_op.into());
        if let Some(time) = d.updated_at {
            write_signed(&mut self.out, time.0);
        }
        self.hashes(&d.heads);
        if let Some(creation) = d.creation {
            if !creation_is_head {
                self.out.extend_from_slice(&creation.hash.0);
            }
            self.unsigned(creation.max_op.into());
        }
        self.unsigned(d.actors.len() as u64);
        for clock in &d.actors {
            self.prefixed(clock.actor.as_bytes());
            self.unsigned(clock.seq);
            self.unsigned(clock.max_op.into());
        }
        self.used_origins();
        self.unsigned(d.root.len() as u64);
        for (key, op) in &d.root {
            self.unsigned((*key).into());
            self.id(op.id);
            let origin = self.origins.iter().position(|o| *o == op.origin && *o > 0);
            self.unsigned(origin.map_or(0, |place| place as u64 + 1));
            self.unsigned(op.value.meta().into());
        }
        for (_, op) in &d.root {
            self.out.extend_from_slice(op.value.bytes(&d.values));
        }
        if has_rest {
            self.rest();
        }
    }

    fn used_origins(&mut self) {
        let d = self.document;
        for (_, op) in &d.root {
            if op.origin > 0 && !self.origins.contains(&op.origin) {
                self.origins.push(op.origin);
            }
        }
        self.unsigned(self.origins.len() as u64);
        for i in 0..self.origins.len() {
            let origin = d.origins[self.origins[i] as usize - 1];
            self.unsigned(match origin.place {
                Place::Pending => 0,
                Place::Stream(seq) => seq.0 + 1,
            });
            write_signed(&mut self.out, origin.time.0);
        }
    }

    fn id(&mut self, id: OpId) {
        self.unsigned(id.counter.into());
        self.unsigned(id.actor.into());
    }

    fn rest(&mut self) {
        let d = self.document;
        self.unsigned(d.unknown.len() as u64);
        d.unknown.iter().for_each(|name| self.prefixed(name.as_bytes()));
        self.hashes(&d.deleting);
        self.unsigned(d.lost_claims.len() as u64);
        d.lost_claims.iter().for_each(|column| self.unsigned(column.0.into()));
        self.unsigned(d.objects.len() as u64);
        for object in &d.objects {
            self.id(object.id);
            self.unsigned(object.kind as u64);
            match &object.content {
                ObjectContent::Map(entries) => {
                    self.unsigned(entries.len() as u64);
                    for (key, live) in entries {
                        self.prefixed(key.as_bytes());
                        self.live(live);
                    }
                }
                ObjectContent::Sequence(sequence) => self.elements(sequence.elements()),
            }
        }
    }

    fn live(&mut self, live: &Ops) {
        self.unsigned(live.len() as u64);
        for op in live {
            self.id(op.id);
            self.unsigned(op.value.meta().into());
            self.out.extend_from_slice(op.value.bytes(&self.document.values));
        }
    }

    fn elements(&mut self, elements: &[Element]) {
        let mut runs = Vec::new();
        let mut i = 0;
        while i < elements.len() {
            let kind = self.run_kind(&elements[i]);
            let first = elements[i].id;
            let same = |(n, e): (usize, &Element)| {
                e.id.actor == first.actor
                    && e.id.counter == first.counter.wrapping_add(n as u32)
                    && self.run_kind(e) == kind
            };
            let length = match kind {
                SINGLE => 1,
                _ => (0..).zip(&elements[i..]).take_while(|pair| same(*pair)).count(),
            };
            runs.push((kind, i..i + length));
            i += length;
        }
        self.unsigned(runs.len() as u64);
        for (kind, range) in runs {
            self.unsigned(kind);
            self.id(elements[range.start].id);
            match kind {
                SINGLE => self.live(&elements[range.start].live),
                DELETED_RUN => self.unsigned(range.len() as u64),
                _ => {
                    let values = &self.document.values;
                    let length: usize = elements[range.clone()].iter().map(|e| e.live[0].value.len()).sum();
                    self.unsigned(length as u64);
                    for element in &elements[range] {
                        self.out.extend_from_slice(element.live[0].value.bytes(values));
                    }
                }
            }
        }
    }

    /// How an element is kept.
    fn run_kind(&self, element: &Element) -> u64 {
        match element.live.as_slice() {
            [] => DELETED_RUN,
            [op] if op.id == element.id && op.origin == 0 => match op.value.scalar(&self.document.values) {
                Scalar::Str(text) if text.chars().nth(1).is_none() && !text.is_empty() => TYPED,
                _ => SINGLE,
            },
            _ => SINGLE,
        }
    }
}

/// The flags, and a document as far as its heads.
fn read_beginning(reader: &mut Reader<'_>) -> Result<(u8, Document), DecodeError> {
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

fn read_document(reader: &mut Reader<'_>) -> Result<Document, DecodeError> {
    let (flags, mut d) = read_beginning(reader)?;
    let has = |flag: u8| flags & flag != 0;
    if has(HAS_CREATION) {
        let hash = match d.heads.first() {
            Some(head) if has(CREATION_IS_HEAD) => *head,
            _ => read_hash(reader)?,
        };
        let max_op = reader.short()?;
        d.creation = Some(Creation { hash, max_op });
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
    let unknown = d.root.iter().filter(|(key, _)| *key >= super::root::UNKNOWN);
    if unknown
        .clone()
        .any(|(key, _)| usize::from(key - super::root::UNKNOWN) >= d.unknown.len())
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
    d.deleting = read_hashes(reader)?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
