//! What every replica does with a change that arrives: decodes it and folds it in.

use automerge::AutoCommit;
use holdfast_core::document::Document;

use crate::{
    row::{self, History},
    timing::{Job, Side},
};

pub(super) fn jobs() -> Vec<Job> {
    check();
    vec![insert(), insert_stored(), update(), update_stored(), many()]
}

/// Both sides come to the same values.
fn check() {
    let history = History::of(9);
    row::agree(&history.document, &mut history.in_library());
    let folded = fold_all(&history.changes);
    row::agree(&folded, &mut history.in_library());
    assert_eq!(folded.to_bytes(), history.document.to_bytes());
}

fn fold_all(changes: &[Vec<u8>]) -> Document {
    let mut document = Document::default();
    for bytes in changes {
        row::fold(&mut document, bytes);
    }
    document
}

fn apply(document: &mut AutoCommit, changes: &[Vec<u8>]) {
    document
        .apply_changes(changes.iter().map(|bytes| row::library_change(bytes)))
        .expect("the library applies them");
}

fn insert() -> Job {
    let here = History::of(0).changes;
    let there = here.clone();
    Job {
        name: "fold an insert of 15 columns: document in memory",
        holdfast: Side::new(move || fold_all(&here)),
        automerge: Side::new(move || {
            let mut document = AutoCommit::new();
            apply(&mut document, &there);
            document
        }),
    }
}

/// From nothing to the stored form. The library is quickest with all changes at once, as one run of bytes.
fn stored(name: &'static str, changes: Vec<Vec<u8>>) -> Job {
    let joined = changes.concat();
    Job {
        name,
        holdfast: Side::new(move || fold_all(&changes).to_bytes()),
        automerge: Side::new(move || {
            let mut document = AutoCommit::new();
            document.load_incremental(&joined).expect("the library applies them");
            document.save()
        }),
    }
}

fn insert_stored() -> Job {
    stored("fold an insert of 15 columns: stored form", History::of(0).changes)
}

fn many() -> Job {
    stored("fold a row of 1,000 changes: stored form", History::of(999).changes)
}

fn update() -> Job {
    let (row, here) = one_update();
    let there = here.clone();
    let (document, library) = (row.document.clone(), row.in_library());
    Job {
        name: "fold an update of one column: document in memory",
        holdfast: Side::on(move || document.clone(), move |document| row::fold(document, &here[0])),
        automerge: Side::on(move || library.clone(), move |document| apply(document, &there)),
    }
}

fn update_stored() -> Job {
    let (row, here) = one_update();
    let there = here.clone();
    let (stored, saved) = (row.document.to_bytes(), row.in_library().save());
    Job {
        name: "fold an update of one column: stored form to stored form",
        holdfast: Side::new(move || {
            let mut document = Document::from_bytes(&stored).expect("reads");
            row::fold(&mut document, &here[0]);
            document.to_bytes()
        }),
        automerge: Side::new(move || {
            let mut document = AutoCommit::load(&saved).expect("loads");
            apply(&mut document, &there);
            document.save()
        }),
    }
}

/// A row after its insert, and an update by another device.
fn one_update() -> (History, Vec<Vec<u8>>) {
    let history = History::of(0);
    let update = row::write(&mut history.document.clone(), &row::update(0), 1);
    (history, vec![update])
}
