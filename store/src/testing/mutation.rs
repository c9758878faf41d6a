//! The engine, broken on purpose. Each [`Mutation`] is a mistake of a class that sync engines are known to make; tests show
//! that they would find it. They exist only with the feature `testing`, and are off unless a test turns one on.

use std::cell::Cell;

use holdfast_core::{
    document::DocumentId,
    ingest::{Effects, RowKey},
};

thread_local! {
    static ON: Cell<Option<Mutation>> = const { Cell::new(None) };
}

macro_rules! mutations {
    ($($about:literal $list:ident { $($(#[doc = $doc:literal])* $name:ident,)* })*) => {
        /// A mistake.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Mutation {
            $($($(#[doc = $doc])* $name,)*)*
        }

        impl Mutation {
            $(#[doc = $about]
            pub const $list: &[Self] = &[$(Self::$name),*];)*
        }
    };
}

mutations! {
    "Those that one server and its devices show."
    ALL {
        /// A device forgets what it pushes when it sends it, not when the answer is there.
        OutboxFirst,
        /// A device stores its new cursor before it takes the page in.
        CursorFirst,
        /// A device takes a page in wherever its cursor is.
        PageOutOfPlace,
        /// A device goes on writing as the same actor after its store was opened again.
        SameActor,
        /// The device's base does not follow the stream.
        BaseStandsStill,
        /// Commands behind a refused one are not made again.
        ReplayForgets,
        /// A refused command is dropped.
        RefusedDropped,
        /// What is acknowledged gets no place in the stream.
        AcknowledgedWithoutPlace,
        /// After its first copy a device goes on from the last page's place in the stream, not the first's.
        TailFromLastPage,
        /// The claims of others are not looked at.
        ClaimUnchecked,
        /// A deleted row goes, though others write to it.
        DeleteWins,
        /// The server shows an entry before the one in front of it, as one does that numbers entries before it commits them.
        EntryOvertaken,
        /// The server judges again what it has taken already.
        RepeatJudged,
        /// The server refuses what refers to a row that has not come yet.
        RowNotAwaited,
        /// The server keeps nothing of what it refuses.
        QuarantineEmpty,
        /// A command whose answer was lost is carried out again when it is asked for again.
        OrderCarriedOutTwice,
        /// A device does not notice that the server was put back to a backup.
        RestoreUnnoticed,
        /// A device does not give back what the server has lost.
        LostNotGivenBack,
        /// A device keeps columns that its person may not see any more.
        RestrictedKept,
        /// A device that may see more columns than before goes on without a new copy.
        RestrictedNotCopied,
        /// Live queries are not told of what a refusal took back.
        TakenBackInSilence,
    }
    "Those that several processes of a server show."
    OF_PROCESSES {
        /// A server numbers entries from the end of the stream that it remembers, though another has written since.
        HeadRemembered,
        /// A server gives the stream out to the end that it remembers.
        EndRemembered,
    }
    "Those that a ward's hub shows that knows an older role."
    OF_HUBS_AND_ROLES {
        /// A device does not look at what a page of a copy was cut by.
        CopyCutUnnoticed,
    }
    "Those that a ward's hub shows."
    OF_HUBS {
        /// A hub tells its devices that the stream has what it only relays.
        RelayedAsAccepted,
        /// A hub that starts again has forgotten what it relays.
        RelayForgotten,
        /// A hub does not tell its devices of what the hospital's server refused.
        WithdrawalUntold,
        /// A hub copies the stream beside what it relays, and not under it.
        HubBaseStandsStill,
    }
}

impl Mutation {
    /// Breaks the engine in this way, for this thread, as long as the guard lives.
    #[must_use]
    pub fn turn_on(self) -> Broken {
        ON.set(Some(self));
        Broken(())
    }

    /// True if the engine is broken in this way.
    pub(crate) fn is_on(self) -> bool {
        ON.get() == Some(self)
    }
}

/// Breaks what is about to be written, if that is how the engine is broken.
pub(crate) fn break_effects(effects: &mut Effects) {
    if Mutation::DeleteWins.is_on() {
        let deleted = |key: &RowKey| {
            let document = effects.documents.get(&DocumentId::main(key.table, key.row));
            document.is_some_and(|document| document.has_deletion())
        };
        let hidden: Vec<RowKey> = effects.rows.keys().copied().filter(deleted).collect();
        for key in hidden {
            effects.rows.entry(key).and_modify(|state| state.shown = false);
        }
    }
}

/// Whether it is broken, and how.
pub fn mutation() -> Option<Mutation> {
    ON.get()
}

/// Runs something with an engine that is whole.
pub fn unbroken<T>(work: impl FnOnce() -> T) -> T {
    let before = ON.replace(None);
    let done = work();
    ON.set(before);
    done
}

/// The engine is broken while this lives.
#[derive(Debug)]
pub struct Broken(());

impl Drop for Broken {
    fn drop(&mut self) {
        ON.set(None);
    }
}
