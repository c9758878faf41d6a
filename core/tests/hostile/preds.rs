//! Operations that name predecessors as no library would: they mean what the Automerge library makes of them, or are refused.

use automerge::{AutoCommit, Change, ROOT, ReadDoc};
use holdfast_core::document::{Document, FoldError};

use super::{
    contents::{Contents, difference, number, run},
    document, fold,
};

/// A change of one operation whose predecessor is the document's only one.
fn naming_the_first_name(contents: Contents) -> (Document, Contents) {
    let (document, hash) = document();
    let mut contents = Contents {
        deps: vec![hash],
        seq: 2,
        start_op: 2,
        ..contents
    };
    contents.set_column(0x70, run(1, 1));
    contents.set_column(0x71, run(1, 0));
    contents.set_column(0x73, run(1, difference(1)));
    (document, contents)
}

#[test]
fn what_is_no_counter_is_overwritten_by_what_adds_to_it_as_in_the_library() {
    let mut adding = Contents::put("first_name", "");
    adding.set_column(0x42, run(1, 5));
    adding.set_column(0x56, run(1, number(1 << 4 | 4)));
    adding.set_column(0x57, vec![3]);
    let (mut document, adding) = naming_the_first_name(adding);
    fold(&mut document, &adding).expect("folds");
    assert_eq!(document.live_operations().count(), 0);
    let changes = [Contents::put("first_name", "Ada").chunk(), adding.chunk()];
    let changes = changes.map(|chunk| Change::from_bytes(chunk).expect("the library reads it"));
    let mut library = AutoCommit::new();
    library.apply_changes(changes).expect("the library applies it");
    assert_eq!(library.keys(ROOT).count(), 0, "the library shows nothing either");
}

/// The library would take the value away from the other key.
#[test]
fn a_predecessor_that_lives_under_another_key_is_refused() {
    let (mut document, elsewhere) = naming_the_first_name(Contents::put("last_name", "Eve"));
    assert_eq!(fold(&mut document, &elsewhere), Err(FoldError::UnknownReference));
}
