//! The messages in CBOR, and a stored log entry. The first byte chooses the kind.
#![cfg_attr(fuzzing, no_main)]

use std::fmt::Debug;

use holdfast_core::{
    protocol::{self, PullResponse, PushRequest, PushResponse, SnapshotResponse},
    transaction::{Body, LogEntry},
};
use minicbor::{Decode, Encode};

fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    match kind % 6 {
        0 => survives::<PushRequest>(bytes),
        1 => survives::<PushResponse>(bytes),
        2 => survives::<PullResponse>(bytes),
        3 => survives::<SnapshotResponse>(bytes),
        4 => survives::<LogEntry>(bytes),
        _ => survives::<Body>(bytes),
    }
}

/// What can be read can be written, and comes out as it went in.
fn survives<T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(message) = protocol::decode::<T>(bytes) {
        let again: T = protocol::decode(&protocol::encode(&message)).expect("it is read as it was written");
        assert_eq!(again, message);
    }
}

holdfast_fuzz::target!(run);
