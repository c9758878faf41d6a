//! A change's chunk as it comes: header, checksum, deflate.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::document::DecodedChange;

fn run(data: &[u8]) {
    let first = DecodedChange::from_bytes(data);
    let second = DecodedChange::from_bytes(data);
    assert_eq!(format!("{first:?}"), format!("{second:?}"), "decoding is repeatable");
}

holdfast_fuzz::target!(run);
