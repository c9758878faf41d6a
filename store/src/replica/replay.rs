//! Takes back what the server refused. Automerge changes cannot be unapplied and later ones build on them: the documents go
//! back to the base, and the commands that still wait are carried out again, in order, as new transactions. What others did and
//! a hub relays stays as it is, unless it builds on what was taken back.
//!
//! *Invariant*: a transaction that was sent is never made again while a server may take it in, now or later: it would be in the
//! stream twice. It stays as it is until the server refuses it for good, or what it builds on.

use std::collections::{BTreeSet, HashSet};

use super::{
    ReplicaError, base,
    make::Workshop,
    outbox::{self, Again},
    relayed, sync,
};
use crate::{StoreError, writing::Writing};
use holdfast_core::{
    command::{Command, CommandError},
    ingest::waiting::own_changes,
    schema::Side,
    transaction::ChangeName,
};

/// Which of the waiting commands are carried out again after something was taken back. The others are put back as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Remake {
    /// All that no server may have or yet get: one of this device's was refused.
    NotKept,
    /// Those that build on what was taken back: it was somebody else's, and they may have been sent meanwhile.
    Dependent,
}

/// Carries out again what is pending, after the changes that are `gone` were taken back. A command that is impossible now is
/// marked as refused, with the reason.
pub(super) fn replay(
    workshop: &mut Workshop<'_>,
    mut gone: HashSet<ChangeName>,
    remake: Remake,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut changed = BTreeSet::new();
    for again in outbox::all_pending(workshop.connection)? {
        let n = again.n;
        let opened = again.open().map_err(StoreError::corrupt)?;
        let stays = again.relayed || again.given || remake == Remake::Dependent;
        if stays && !base::builds_on(&opened, &gone) {
            changed.extend(base::put_back(workshop.connection, Side::Device, n, &opened)?);
            continue;
        }
        if again.relayed {
            gone.extend(own_changes(&opened));
            relayed::leave_out(workshop.connection, n)?;
            continue;
        }
        // What the stream has is not made again, though its acknowledgement has not come.
        if sync::has(workshop.connection, &opened)? {
            continue;
        }
        gone.extend(opened.body.changes);
        if broken!(ReplayForgets) {
            outbox::remove(workshop.connection, n)?;
            continue;
        }
        match replay_one(workshop, again) {
            Ok(tables) => changed.extend(tables),
            Err(ReplicaError::Store(error)) => return Err(error),
            Err(ReplicaError::Command(CommandError::Read(error))) => return Err(StoreError::corrupt(error)),
            Err(refusal) => outbox::reject(workshop.connection, n, refusal.code(), &refusal.to_string())?,
        }
    }
    Ok(changed)
}

fn replay_one(workshop: &mut Workshop<'_>, again: Again) -> Result<BTreeSet<&'static str>, ReplicaError> {
    let connection = workshop.connection;
    let command: Command = serde_json::from_str(&again.command).map_err(StoreError::corrupt)?;
    let mut writing = Writing::new(connection, Side::Device, again.giver.time);
    if let Some(made) = workshop.make(&command, &again.giver, again.new_ids, &mut writing)? {
        base::keep(connection, &made.opened.body)?;
        outbox::renew(connection, again.n, &made)?;
    } else {
        // What it wanted is so already.
        #[cfg(feature = "testing")]
        crate::testing::note(again.giver.time);
        outbox::remove(connection, again.n)?;
    }
    Ok(writing.finish()?)
}
