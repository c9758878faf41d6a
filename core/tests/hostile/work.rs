//! Time per change is bounded: what would take far longer than the change is long is refused.

use holdfast_core::{
    document::{Document, FoldError, codec::MAX_OPERATIONS},
    ids::ChangeHash,
};

use super::{
    fold,
    operations::{self, MAKE_MAP, MAKE_TEXT, Operation, SET},
};

/// Folds a change of so many operations into a new document.
fn fold_many(operations: &[Operation]) -> Result<ChangeHash, FoldError> {
    assert!(operations.len() <= MAX_OPERATIONS, "or it is refused for its length");
    fold(&mut Document::default(), &operations::change(operations))
}

/// A text and what is done to it.
fn with_text(then: impl Iterator<Item = Operation>) -> Vec<Operation> {
    let make = Operation::root("notes", MAKE_TEXT);
    std::iter::once(make).chain(then).take(MAX_OPERATIONS).collect()
}

/// A text of half of all operations: element `n` is operation `n + 2`.
fn long_text() -> impl Iterator<Item = Operation> {
    let last = MAX_OPERATIONS as u64 / 2;
    (1..last).map(|counter| Operation::insert(1, if counter == 1 { 0 } else { counter }))
}

#[test]
fn a_change_that_takes_as_long_as_its_length_is_folded_however_long_it_is() {
    let most = MAX_OPERATIONS as u64;
    let last = most / 2;
    let backwards = (2..=last).rev().map(|element| Operation::delete(1, element));
    let rising = (1..most).map(|n| Operation::entry(1, format!("{n:06}"), SET));
    let map = Operation::root("metadata", MAKE_MAP);
    let nested = (1..most).map(|n| Operation::entry(n, "in".into(), MAKE_MAP));
    let kept = |operation: Operation| vec![operation; MAX_OPERATIONS];
    let replaced = |n: u64| Operation::root("first_name", SET).replacing((1..n).rev().take(1).collect());
    let cases = [
        (
            "a text written from start to end",
            with_text((1..most).map(|n| Operation::insert(1, if n == 1 { 0 } else { n }))),
        ),
        ("a text deleted from its end", with_text(long_text().chain(backwards))),
        (
            "a key set again and again, nothing replaced",
            kept(Operation::root("first_name", SET)),
        ),
        ("a key set again and again", (1..=most).map(replaced).collect()),
        ("objects at one key", kept(Operation::root("metadata", MAKE_MAP))),
        (
            "objects, each in the one before",
            std::iter::once(map.clone()).chain(nested).collect(),
        ),
        (
            "an entry set again and again, nothing replaced",
            std::iter::once(map.clone())
                .chain(vec![Operation::entry(1, "a".into(), SET); MAX_OPERATIONS - 1])
                .collect(),
        ),
        ("a map's keys in order", std::iter::once(map).chain(rising).collect()),
    ];
    for (name, operations) in cases {
        assert!(fold_many(&operations).is_ok(), "{name}");
    }
}

#[test]
fn a_change_that_would_take_far_longer_than_its_length_is_refused() {
    let most = MAX_OPERATIONS as u64;
    let last = most / 2;
    let ends = (2..=last / 2).flat_map(|n| [Operation::delete(1, n), Operation::delete(1, last + 2 - n)]);
    let falling = (1..most).rev().map(|n| Operation::entry(1, format!("{n:06}"), SET));
    let live = (1..=last).map(|_| Operation::root("first_name", SET));
    let all = Operation::root("first_name", SET).replacing((1..=last).collect());
    let unknown = (0..most).map(|n| Operation::root(["first_name", "last_name"][n as usize % 2], SET));
    let cases = [
        (
            "a text written from its end to its start",
            with_text((1..most).map(|_| Operation::insert(1, 0))),
        ),
        (
            "a text written behind its first character",
            with_text((1..most).map(|n| Operation::insert(1, if n == 1 { 0 } else { 2 }))),
        ),
        ("a text deleted from both ends", with_text(long_text().chain(ends))),
        (
            "a map's keys from last to first",
            std::iter::once(Operation::root("metadata", MAKE_MAP))
                .chain(falling)
                .collect(),
        ),
        ("all of many values replaced", live.chain([all]).collect::<Vec<_>>()),
        ("two keys set in turn, nothing replaced", unknown.collect()),
    ];
    for (name, operations) in cases {
        assert_eq!(fold_many(&operations), Err(FoldError::TooMuchWork), "{name}");
    }
}
