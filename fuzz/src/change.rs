//! Change chunks around given contents: a fuzzer cannot guess a SHA-256 checksum, so the targets compute it.

use std::io::{Read, Write};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const PLAIN: u8 = 1;
const PACKED: u8 = 2;

/// The chunk with these contents as they are.
pub fn chunk(contents: &[u8]) -> Vec<u8> {
    with_header(PLAIN, contents, contents)
}

/// The chunk with these contents, deflated.
pub fn packed(contents: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate
        .write_all(contents)
        .expect("BUG: packing into memory cannot fail");
    let data = deflate.finish().expect("BUG: packing into memory cannot fail");
    with_header(PACKED, contents, &data)
}

/// The contents of a well-formed chunk.
pub fn contents(chunk: &[u8]) -> Vec<u8> {
    let length = chunk[9..]
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .expect("the length ends")
        + 1;
    let data = &chunk[9 + length..];
    if chunk[8] == PLAIN {
        return data.to_vec();
    }
    let mut contents = Vec::new();
    DeflateDecoder::new(data).read_to_end(&mut contents).expect("unpacks");
    contents
}

fn with_header(kind: u8, contents: &[u8], data: &[u8]) -> Vec<u8> {
    let mut hashed = vec![PLAIN];
    write_length(&mut hashed, contents.len());
    let hash = Sha256::new().chain_update(&hashed).chain_update(contents).finalize();
    let mut out = [&MAGIC[..], &hash[..4], &[kind]].concat();
    write_length(&mut out, data.len());
    out.extend_from_slice(data);
    out
}

/// LEB128.
fn write_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}
