//! Commands that disappear without a trace in the store, for a good reason: when they were made again there was nothing left
//! to do.

use std::{cell::RefCell, collections::BTreeSet};

use holdfast_core::ids::Timestamp;

thread_local! {
    static UNNEEDED: RefCell<BTreeSet<Timestamp>> = const { RefCell::new(BTreeSet::new()) };
}

/// A command that was given at this time is not needed any more.
pub(crate) fn note(made_at: Timestamp) {
    UNNEEDED.with_borrow_mut(|unneeded| unneeded.insert(made_at));
}

/// The times of the commands that were not needed any more since this was asked the last time, in this thread.
pub fn take_unneeded() -> BTreeSet<Timestamp> {
    UNNEEDED.take()
}
