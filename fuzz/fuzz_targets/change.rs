//! A change's contents, folded into a new document and into one with history. The first byte chooses the table.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::document::{DecodedChange, Document};
use holdfast_fuzz::{arrival, check_document, chunk, document, packed, table};

fn run(data: &[u8]) {
    let Some((selector, contents)) = data.split_first() else {
        return;
    };
    let plain = DecodedChange::from_bytes(&chunk(contents));
    let again = DecodedChange::from_bytes(&packed(contents));
    let (Ok(plain), Ok(again)) = (&plain, &again) else {
        assert!(plain.is_err() && again.is_err(), "packed or not, a change is the same");
        return;
    };
    assert_eq!(plain.hash, again.hash, "packed or not, a change has one name");
    for before in [Document::default(), document(*selector)] {
        fold_both(*selector, before, plain, again);
    }
}

fn fold_both(selector: u8, before: Document, plain: &DecodedChange, again: &DecodedChange) {
    let table = table(selector);
    let (mut first, mut second) = (before.clone(), before);
    let folded = first.fold(table, plain, arrival());
    assert_eq!(folded, second.fold(table, again, arrival()));
    if folded.is_err() {
        return;
    }
    assert_eq!(
        first.to_bytes(),
        second.to_bytes(),
        "packed or not, a change does the same"
    );
    assert!(first.heads.contains(&plain.hash), "the change is a head");
    assert!(first.contains(plain.change.actor(), plain.change.seq));
    check_document(&first, table);
}

holdfast_fuzz::target!(run);
