//! What a device does when a person writes: makes a change.

use automerge::AutoCommit;
use holdfast_core::{document::Document, row::RowAction};

use crate::{
    row::{self, History},
    timing::{Job, Side},
};

pub(super) fn jobs() -> Vec<Job> {
    check();
    vec![insert(), insert_stored(), update(), update_stored()]
}

/// Both sides make the same bytes, but for how hard they compress.
fn check() {
    let History { document, changes } = History::of(1);
    let mut library = AutoCommit::new().with_actor(row::library_actor());
    let insert = row::library_write(&mut library, &row::library_values());
    let raw = |bytes: &[u8]| row::library_change(bytes).raw_bytes().to_vec();
    assert_eq!(raw(&changes[0]), raw(&insert));
    assert_eq!(changes[1], row::library_write(&mut library, &row::library_update(0)));
    row::agree(&document, &mut library);
}

fn library_insert() -> (AutoCommit, Vec<u8>) {
    let mut document = AutoCommit::new().with_actor(row::library_actor());
    let bytes = row::library_write(&mut document, &row::library_values());
    (document, bytes)
}

fn insert() -> Job {
    let (action, values) = (RowAction::Create(row::values()), row::library_values());
    Job {
        name: "build an insert of 15 columns: change and document in memory",
        holdfast: Side::new(move || {
            let mut document = Document::default();
            let bytes = row::write(&mut document, &action, 0);
            (document, bytes)
        }),
        automerge: Side::new(move || {
            let mut document = AutoCommit::new().with_actor(row::library_actor());
            let bytes = row::library_write(&mut document, &values);
            (document, bytes)
        }),
    }
}

fn insert_stored() -> Job {
    let (action, values) = (RowAction::Create(row::values()), row::library_values());
    Job {
        name: "build an insert of 15 columns: change and stored form",
        holdfast: Side::new(move || {
            let mut document = Document::default();
            let bytes = row::write(&mut document, &action, 0);
            (document.to_bytes(), bytes)
        }),
        automerge: Side::new(move || {
            let mut document = AutoCommit::new().with_actor(row::library_actor());
            let bytes = row::library_write(&mut document, &values);
            (document.save(), bytes)
        }),
    }
}

fn update() -> Job {
    let (action, values) = (row::update(0), row::library_update(0));
    let (document, library) = (History::of(0).document, library_insert().0);
    Job {
        name: "build an update of one column: document in memory",
        holdfast: Side::on(
            move || document.clone(),
            move |document| row::write(document, &action, 0),
        ),
        automerge: Side::on(
            move || library.clone(),
            move |document| row::library_write(document, &values),
        ),
    }
}

fn update_stored() -> Job {
    let (action, values) = (row::update(0), row::library_update(0));
    let (stored, saved) = (History::of(0).document.to_bytes(), library_insert().0.save());
    Job {
        name: "build an update of one column: stored form to stored form",
        holdfast: Side::new(move || {
            let mut document = Document::from_bytes(&stored).expect("reads");
            let bytes = row::write(&mut document, &action, 0);
            (document.to_bytes(), bytes)
        }),
        automerge: Side::new(move || {
            let mut document = AutoCommit::load(&saved)
                .expect("loads")
                .with_actor(row::library_actor());
            let bytes = row::library_write(&mut document, &values);
            (document.save(), bytes)
        }),
    }
}
