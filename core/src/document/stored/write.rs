//! Writes a document.

use super::{
    CREATION_IS_HEAD, DELETED_RUN, HAS_CREATION, HAS_MORE_CREATIONS, HAS_REST, HAS_UPDATED_AT, SINGLE, TYPED, VERSION,
};
use crate::{
    document::{
        Document, OpId, Place, Scalar,
        codec::leb128::{write_signed, write_unsigned},
        object::ObjectContent,
        op::Ops,
        sequence::Element,
    },
    ids::ChangeHash,
};

/// Appends a document.
pub(super) fn document(document: &Document, out: Vec<u8>) -> Vec<u8> {
    let mut writer = Writer {
        document,
        out,
        origins: Vec::new(),
    };
    writer.document();
    writer.out
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
        for hash in hashes {
            self.out.extend_from_slice(&hash.0);
        }
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
                | flag(has_rest, HAS_REST)
                | flag(!d.also.is_empty(), HAS_MORE_CREATIONS),
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
        if !d.also.is_empty() {
            self.unsigned(d.also.len() as u64);
        }
        for creation in &d.also {
            self.out.extend_from_slice(&creation.hash.0);
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
        self.unsigned(d.deleting.len() as u64);
        for (id, change) in &d.deleting {
            self.id(*id);
            self.out.extend_from_slice(&change.0);
        }
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
