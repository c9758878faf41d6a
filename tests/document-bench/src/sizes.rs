//! What a row takes: on disk, in memory, on the wire.

use automerge::AutoCommit;
use holdfast_core::document::Document;

use crate::{
    memory,
    row::{self, History},
};

/// Bytes that something takes on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// What it is.
    pub name: &'static str,
    /// This project's engine.
    pub holdfast: usize,
    /// The Automerge library.
    pub automerge: usize,
}

/// All sizes, in the order of the table.
pub fn all() -> Vec<Size> {
    let (young, old) = (History::of(0), History::of(999));
    let mut library = AutoCommit::new().with_actor(row::library_actor());
    let insert = row::library_write(&mut library, &row::library_values());
    let update = row::library_write(&mut library, &row::library_update(0));
    vec![
        Size {
            name: "change that inserts 15 columns",
            holdfast: young.changes[0].len(),
            // Compressed, as small as the library makes it.
            automerge: row::library_change(&insert).bytes().len(),
        },
        Size {
            name: "change that updates one column",
            holdfast: old.changes[1].len(),
            automerge: update.len(),
        },
        stored("stored row of 15 columns, 1 change", &young),
        stored("stored row of 15 columns, 1,000 changes", &old),
        in_memory("idle row in memory, 1 change", &young),
        in_memory("idle row in memory, 1,000 changes", &old),
    ]
}

fn stored(name: &'static str, history: &History) -> Size {
    Size {
        name,
        holdfast: history.document.to_bytes().len(),
        automerge: history.in_library().save().len(),
    }
}

/// Opened from the stored form and not touched since.
fn in_memory(name: &'static str, history: &History) -> Size {
    let (stored, saved) = (history.document.to_bytes(), history.in_library().save());
    Size {
        name,
        holdfast: memory::held_by_one(|| Document::from_bytes(&stored).expect("reads")),
        automerge: memory::held_by_one(|| AutoCommit::load(&saved).expect("loads")),
    }
}
