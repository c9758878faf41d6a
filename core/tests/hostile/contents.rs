//! Changes written byte by byte, so that they can say what no honest device says.

use std::io::Write;

use holdfast_core::ids::ChangeHash;

/// The parts of a change's contents. See `core/src/document/codec/mod.rs`.
#[derive(Clone)]
pub struct Contents {
    pub deps: Vec<ChangeHash>,
    pub actor: Vec<u8>,
    pub seq: u64,
    pub start_op: u64,
    pub others: Vec<Vec<u8>>,
    pub columns: Vec<(u64, Vec<u8>)>,
}

impl Default for Contents {
    fn default() -> Self {
        Self {
            deps: Vec::new(),
            actor: vec![1; 20],
            seq: 1,
            start_op: 1,
            others: Vec::new(),
            columns: Vec::new(),
        }
    }
}

impl Contents {
    /// Sets a key of the root to a text.
    pub fn put(key: &str, text: &str) -> Self {
        let meta = number((text.len() as u64) << 4 | 6);
        Self {
            columns: vec![
                (0x15, run(1, key)),
                (0x34, vec![1]),
                (0x42, run(1, 1)),
                (0x56, run(1, meta)),
                (0x57, text.into()),
                (0x70, run(1, 0)),
            ],
            ..Self::default()
        }
    }

    /// Makes a map at a key of the root.
    pub fn make(key: &str) -> Self {
        Self {
            columns: vec![(0x15, run(1, key)), (0x42, run(1, 0))],
            ..Self::default()
        }
    }

    /// Replaces a column, or adds it.
    pub fn set_column(&mut self, specification: u64, data: Vec<u8>) {
        self.columns.retain(|(other, _)| *other != specification);
        self.columns.push((specification, data));
        self.columns.sort();
    }

    /// The chunk.
    pub fn chunk(&self) -> Vec<u8> {
        chunk(&self.bytes("", 0, None))
    }

    /// The chunk, with another count in one place than what is there.
    pub fn claiming(&self, place: &str, count: u64) -> Vec<u8> {
        chunk(&self.bytes(place, count, None))
    }

    /// The chunk, with another length of a column than it has.
    pub fn with_column_length(&self, specification: u64, length: u64) -> Vec<u8> {
        chunk(&self.bytes("", 0, Some((specification, length))))
    }

    fn bytes(&self, place: &str, count: u64, column: Option<(u64, u64)>) -> Vec<u8> {
        let mut out = Vec::new();
        let number = |out: &mut Vec<u8>, here: &str, number: usize| {
            out.extend(unsigned(if here == place { count } else { number as u64 }));
        };
        number(&mut out, "dependencies", self.deps.len());
        self.deps.iter().for_each(|dep| out.extend(dep.0));
        number(&mut out, "actor", self.actor.len());
        out.extend(&self.actor);
        out.extend(unsigned(self.seq));
        out.extend(unsigned(self.start_op));
        out.extend(signed(0));
        number(&mut out, "message", 0);
        number(&mut out, "other actors", self.others.len());
        for actor in &self.others {
            out.extend(unsigned(actor.len() as u64));
            out.extend(actor);
        }
        number(&mut out, "columns", self.columns.len());
        for (specification, data) in &self.columns {
            let length = column.filter(|(of, _)| of == specification);
            out.extend(unsigned(*specification));
            out.extend(unsigned(length.map_or(data.len() as u64, |(_, length)| length)));
        }
        self.columns.iter().for_each(|(_, data)| out.extend(data));
        out
    }
}

/// Something that stands in a run.
pub trait Item {
    fn bytes(self) -> Vec<u8>;
}

impl Item for u8 {
    /// A small number is the same, signed or not.
    fn bytes(self) -> Vec<u8> {
        assert!(self < 64, "use `number` or `difference`");
        vec![self]
    }
}

impl Item for &str {
    fn bytes(self) -> Vec<u8> {
        [unsigned(self.len() as u64), self.into()].concat()
    }
}

impl Item for Vec<u8> {
    fn bytes(self) -> Vec<u8> {
        self
    }
}

/// One value, `count` times.
pub fn run(count: i64, value: impl Item) -> Vec<u8> {
    [signed(count), value.bytes()].concat()
}

/// The head of a run of `count` different values, and one of them.
pub fn negative_run(count: i64) -> Vec<u8> {
    [signed(-count), vec![1]].concat()
}

/// An unsigned number of any size.
pub fn number(value: u64) -> Vec<u8> {
    unsigned(value)
}

/// A number in a column of differences.
pub fn difference(value: i64) -> Vec<u8> {
    signed(value)
}

fn unsigned(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn signed(mut value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

fn chunk(contents: &[u8]) -> Vec<u8> {
    with_header(1, contents, contents)
}

/// A chunk of deflated contents.
pub fn packed_chunk(contents: &[u8]) -> Vec<u8> {
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(contents).expect("packs");
    with_header(2, contents, &deflate.finish().expect("packs"))
}

fn with_header(kind: u8, contents: &[u8], data: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    let hash = sha2::Sha256::new()
        .chain_update([1])
        .chain_update(unsigned(contents.len() as u64))
        .chain_update(contents)
        .finalize();
    [
        &[0x85, 0x6f, 0x4a, 0x83][..],
        &hash[..4],
        &[kind],
        &unsigned(data.len() as u64),
        data,
    ]
    .concat()
}
