//! Takes back what the server refused. Automerge changes cannot be unapplied and later ones build on them: the documents go
//! back to the base, and the commands that still wait are carried out again, in order, as new transactions. A transaction
//! that the server keeps for later will be in the stream as it is, so it stays as it is; unless it builds on what was taken
//! back, and then the server cannot take it in either.

use std::collections::{BTreeSet, HashSet};

use super::{
    ReplicaError, base,
    make::Workshop,
    outbox::{self, Again},
    sync,
};
use crate::{StoreError, writing::Writing};
use holdfast_core::{
    command::{Command, CommandError},
    schema::Side,
    transaction::{ChangeName, Transaction},
};

/// Carries out again what waits, after `refused` was taken back. A command that is impossible now is marked as refused, with
/// the reason.
pub(super) fn replay(workshop: &mut Workshop<'_>, refused: &Transaction) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut changed = BTreeSet::new();
    let mut gone: HashSet<ChangeName> = HashSet::new();
    gone.extend(refused.body().map_err(StoreError::corrupt)?.changes);
    for again in outbox::all_waiting(workshop.connection)? {
        let n = again.n;
        let opened = again.transaction.open().map_err(StoreError::corrupt)?;
        if again.held && !base::builds_on(&opened, &gone) {
            changed.extend(base::put_back(workshop.connection, Side::Device, n, &opened)?);
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
