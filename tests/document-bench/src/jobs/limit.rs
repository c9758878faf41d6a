//! What no engine can do without: a change's name is the hash of its contents. How many times faster that alone is than the
//! library's whole work bounds what folding can reach.

use automerge::AutoCommit;
use sha2::{Digest, Sha256};

use crate::{
    row::{self, History},
    timing::{Job, Side},
};

pub(super) fn jobs() -> Vec<Job> {
    let History { changes, .. } = History::of(0);
    let (bytes, there) = (changes[0].clone(), changes[0].clone());
    vec![Job {
        name: "the limit of folding an insert: its SHA-256 alone",
        holdfast: Side::new(move || <[u8; 32]>::from(Sha256::digest(&bytes))),
        automerge: Side::new(move || {
            let mut document = AutoCommit::new();
            document
                .apply_changes([row::library_change(&there)])
                .expect("the library applies it");
            document
        }),
    }]
}
