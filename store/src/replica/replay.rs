//! Takes back what the server refused. Automerge changes cannot be unapplied and later ones build on them: the documents go
//! back to the base, and the commands that still wait are carried out again, in order, as new transactions.

use std::collections::BTreeSet;

use holdfast_core::{
    command::{Command, CommandError},
    ids::Timestamp,
    ingest::Job,
    schema::Side,
};
use rusqlite::Connection;

use super::{
    ReplicaError, base,
    make::Workshop,
    outbox::{self, Again},
};
use crate::{StoreError, writing::Writing};

/// Puts the documents back to the base. Nothing waits on them any more.
pub(super) fn take_back(connection: &Connection, now: Timestamp) -> Result<BTreeSet<&'static str>, StoreError> {
    let documents = base::take_all(connection)?;
    let mut writing = Writing::new(connection, Side::Device, now);
    writing.follow(&Job::Replace {
        documents: &documents,
        now,
    })?;
    writing.finish()
}

/// Carries out again what waits. A command that is impossible now is marked as refused, with the reason.
pub(super) fn replay(workshop: &mut Workshop<'_>) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut changed = BTreeSet::new();
    for again in outbox::all_waiting(workshop.connection)? {
        let n = again.n;
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
    match workshop.make(&command, &again.giver, again.new_ids, &mut writing)? {
        Some(made) => {
            base::keep(connection, &made.opened.body)?;
            outbox::renew(connection, again.n, &made)?;
        }
        // What it wanted is so already.
        None => {
            #[cfg(feature = "testing")]
            crate::testing::note(again.giver.time);
            outbox::remove(connection, again.n)?;
        }
    }
    Ok(writing.finish()?)
}
