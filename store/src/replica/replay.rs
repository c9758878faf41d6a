//! Takes back what the server refused. Automerge changes cannot be unapplied and later ones build on them: the documents go
//! back to the base, and the commands that still wait are carried out again, in order, as new transactions. What others did and
//! a hub relays stays as it is, unless it builds on what was taken back.
//!
//! *Invariant*: a transaction that was sent is never made again while a server may take it in, now or later: it would be in the
//! stream twice. It stays as it is until the server refuses it for good, or what it builds on, or the making of a row that it refers
//! to. What a hub only does not know any more is not refused.

use std::collections::{BTreeSet, HashSet};

use super::{
    ReplicaError, base,
    make::Workshop,
    outbox::{self, Again},
    relayed, sight, sync,
};
use crate::{StoreError, writing::Writing};
use holdfast_core::{
    command::{Command, CommandError},
    document::DocumentId,
    ids::{Timestamp, TransactionId},
    ingest::{Needs, Presence, RowKey, waiting::own_changes},
    schema::Side,
    transaction::{Body, ChangeName, Opened},
};
use rusqlite::Connection;

/// Which of the waiting commands are carried out again after something was taken back. The others are put back as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Remake {
    /// All that no server may have or yet get: one of this device's was refused.
    NotKept,
    /// Those that build on what was taken back: it was somebody else's, and they may have been sent meanwhile.
    Dependent,
}

/// The changes that were taken back.
#[derive(Default)]
pub(super) struct Gone {
    /// They were refused: the hospital's server takes nothing in that builds on them.
    pub refused: HashSet<ChangeName>,
    /// A hub told of them and does not know them any more. Their devices do, and a server waits for them.
    pub lost: HashSet<ChangeName>,
}

impl Gone {
    pub fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.lost.is_empty()
    }

    /// True if a row would be there, had its making not been refused.
    fn has_refused(&self, row: RowKey) -> bool {
        self.refused
            .iter()
            .any(|name| name.document == DocumentId::main(row.table, row.row))
    }
}

/// Takes the documents back to the base, and carries out again what is pending but for what is gone. A command that is
/// impossible now is marked as refused, with the reason. What waits somewhere for something that is lost is not shown until
/// the stream brings both.
pub(super) fn replay(
    workshop: &mut Workshop<'_>,
    mut gone: Gone,
    remake: Remake,
    now: Timestamp,
) -> Result<BTreeSet<&'static str>, StoreError> {
    let on_top = base::on_top(workshop.connection)?;
    let mut changed = base::take_back(workshop.connection, Side::Device, now)?;
    for again in outbox::all_pending(workshop.connection)? {
        let n = again.n;
        let opened = again.open().map_err(StoreError::corrupt)?;
        let absent = absent_rows(workshop.connection, &opened)?;
        let refused = base::builds_on(&opened, &gone.refused) || absent.iter().any(|row| gone.has_refused(*row));
        // What a new copy was too short for builds on what is not here yet. Restricted columns may have been taken away since.
        let shown = on_top.contains(&n) || sight::hides(workshop.connection, &opened)?;
        let lost = !shown || base::builds_on(&opened, &gone.lost) || !absent.is_empty();
        let stays = again.relayed || again.given || remake == Remake::Dependent;
        if stays && !refused && !lost {
            changed.extend(base::put_back(workshop.connection, Side::Device, n, &opened)?);
            continue;
        }
        if again.relayed {
            let falls = if refused { &mut gone.refused } else { &mut gone.lost };
            falls.extend(own_changes(&opened));
            relayed::leave_out(workshop.connection, n, &opened.body)?;
            continue;
        }
        // What the stream has is not made again, though its acknowledgement has not come.
        if sync::has(workshop.connection, &opened)? {
            continue;
        }
        if again.given && !refused {
            gone.lost.extend(own_changes(&opened));
            continue;
        }
        gone.refused.extend(&opened.body.changes);
        if broken!(ReplayForgets) {
            outbox::remove(workshop.connection, n, &opened.body)?;
            continue;
        }
        match replay_one(workshop, again, &opened.body) {
            Ok(tables) => changed.extend(tables),
            Err(ReplicaError::Store(error)) => return Err(error),
            Err(ReplicaError::Command(CommandError::Read(error))) => return Err(StoreError::corrupt(error)),
            Err(refusal) => {
                let (code, reason) = (refusal.code(), refusal.to_string());
                outbox::reject(workshop.connection, n, &opened.body, code, &reason)?;
            }
        }
    }
    Ok(changed)
}

/// The rows that a transaction refers to, and neither makes nor finds here.
fn absent_rows(connection: &Connection, opened: &Opened) -> Result<Vec<RowKey>, StoreError> {
    let mut writing = Writing::new(connection, Side::Device, opened.body.time);
    let presence = Needs::of(opened).presence;
    writing.load(&Needs {
        presence: presence.clone(),
        ..Needs::default()
    })?;
    let made: HashSet<RowKey> = opened
        .body
        .changes
        .iter()
        .map(|name| RowKey::of(&name.document))
        .collect();
    let absent = |row: &RowKey| writing.set().presence(row) == Some(Presence::Absent) && !made.contains(row);
    Ok(presence.into_iter().filter(absent).collect())
}

/// `body` is what was made of it before.
fn replay_one(workshop: &mut Workshop<'_>, again: Again, body: &Body) -> Result<BTreeSet<&'static str>, ReplicaError> {
    let connection = workshop.connection;
    let command: Command = serde_json::from_str(&again.command).map_err(StoreError::corrupt)?;
    let mut writing = Writing::new(connection, Side::Device, again.giver.time);
    let id = TransactionId(workshop.host.new_id());
    if let Some(made) = workshop.make(id, &command, &again.giver, again.new_ids, &mut writing)? {
        outbox::renew(connection, again.n, &made)?;
    } else {
        // What it wanted is so already.
        #[cfg(feature = "testing")]
        crate::testing::note(again.giver.time);
        outbox::remove(connection, again.n, body)?;
    }
    Ok(writing.finish()?)
}
