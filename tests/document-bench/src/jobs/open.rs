//! What it takes to have a row in memory again, by the length of its history.

use automerge::AutoCommit;
use holdfast_core::document::Document;

use crate::{
    row::{self, History},
    timing::{Job, Side},
};

pub(super) fn jobs() -> Vec<Job> {
    vec![
        open("open a stored row of 10 changes", 10),
        open("open a stored row of 100 changes", 100),
        open("open a stored row of 1,000 changes", 1_000),
        open("open a stored row of 10,000 changes", 10_000),
    ]
}

fn open(name: &'static str, changes: usize) -> Job {
    let history = History::of(changes - 1);
    let stored = history.document.to_bytes();
    let saved = history.in_library().save();
    row::agree(
        &Document::from_bytes(&stored).expect("reads"),
        &mut AutoCommit::load(&saved).expect("loads"),
    );
    Job {
        name,
        holdfast: Side::new(move || Document::from_bytes(&stored).expect("reads")),
        automerge: Side::new(move || AutoCommit::load(&saved).expect("loads")),
    }
}
