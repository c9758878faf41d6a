//! Makes a transaction of a command: for the page, and again when what it was built on is taken back.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use holdfast_core::{
    author::{AuthorError, Header, Identity, author},
    command::{Command, Maker, Plan, plan},
    document::{Actor, Place},
    ids::{Timestamp, TransactionId, UserId},
    ingest::{
        Authority, Job,
        waiting::{Awaited, Unmet, Why},
    },
    policy::Role,
    transaction::{Opened, Transaction},
};
use rusqlite::Connection;
use uuid::Uuid;

use super::{ReplicaError, identity, sight};
use crate::{
    Host, StoreError,
    tables::Tables,
    writing::{Undone, Writing},
};

/// What the transactions of a store have in common.
pub(super) struct Workshop<'a> {
    pub connection: &'a Connection,
    pub host: &'a mut Host,
    pub key: &'a SigningKey,
    pub actor: &'a Actor,
}

/// Who gave the command, and when.
#[derive(Clone, Debug)]
pub(super) struct Giver {
    pub user: UserId,
    /// As `users.role` names it.
    pub role: String,
    pub time: Timestamp,
    pub offline: bool,
    /// What the command was first made into, if it is made again.
    pub first: Option<TransactionId>,
}

impl Giver {
    /// An unknown role reads only.
    pub fn role(&self) -> Role {
        self.role.parse().unwrap_or(Role::Auditor)
    }
}

/// A transaction that is carried out in the working set but not yet written.
pub(super) struct Made {
    pub transaction: Transaction,
    pub opened: Opened,
    pub plan: Plan,
    pub new_ids: Vec<Uuid>,
}

/// A command may name a row that is not there. The documents are there on which it was made.
fn not_here(missing: &BTreeSet<Awaited>, opened: &Opened) -> ReplicaError {
    match missing.first().copied() {
        Some(awaited @ Awaited::Row(_)) => {
            let why = Why::Absent;
            ReplicaError::Rejected(Unmet { awaited, why }.rejection(opened))
        }
        _ => StoreError::corrupt(format!("it lacks {missing:?}")).into(),
    }
}

impl<'a> Workshop<'a> {
    /// As an actor that never wrote: what the one before wrote is taken back.
    pub fn anew(connection: &'a Connection, host: &'a mut Host, key: &'a SigningKey, actor: &'a mut Actor) -> Self {
        *actor = identity::new_actor(key, host);
        Self {
            connection,
            host,
            key,
            actor,
        }
    }

    /// Plans, authors and carries out a command as the transaction `id`. `ids` are those that it was given when it was planned before. `None` if there
    /// is nothing to change.
    pub fn make(
        &mut self,
        id: TransactionId,
        command: &Command,
        giver: &Giver,
        ids: Vec<Uuid>,
        writing: &mut Writing<'_>,
    ) -> Result<Option<Made>, ReplicaError> {
        let (plan, new_ids) = self.plan(command, giver, ids)?;
        let Some((transaction, opened)) = self.author(id, &plan, giver, writing)? else {
            return Ok(None);
        };
        if let Some(rejection) = sight::judge(self.connection, &opened)? {
            return Err(ReplicaError::Rejected(rejection));
        }
        let job = Job::Ingest {
            opened: &opened,
            place: Place::Pending,
            authority: Authority::Judge {
                role: giver.role(),
                import: false,
            },
        };
        writing.carry_out(&job)?.map_err(|undone| match undone {
            Undone::Rejected(rejection) => ReplicaError::Rejected(rejection),
            Undone::Missing(all) => not_here(&all, &opened),
        })?;
        Ok(Some(Made {
            transaction,
            opened,
            plan,
            new_ids,
        }))
    }

    fn plan(&mut self, command: &Command, giver: &Giver, ids: Vec<Uuid>) -> Result<(Plan, Vec<Uuid>), ReplicaError> {
        let mut used = Vec::new();
        let mut kept = ids.into_iter();
        let mut new_id = || {
            let id = kept.next().unwrap_or_else(|| self.host.new_id());
            used.push(id);
            id
        };
        let mut maker = Maker {
            user: giver.user,
            now: giver.time,
            new_id: &mut new_id,
        };
        let plan = plan(command, &mut maker, &Tables(self.connection))?;
        Ok((plan, used))
    }

    fn author(
        &mut self,
        id: TransactionId,
        plan: &Plan,
        giver: &Giver,
        writing: &mut Writing<'_>,
    ) -> Result<Option<(Transaction, Opened)>, StoreError> {
        let identity = Identity {
            user: giver.user,
            key: self.key.clone(),
            actor: self.actor.clone(),
        };
        let header = Header {
            id,
            first: giver.first,
            time: giver.time,
            offline: giver.offline,
            command: plan.name.to_owned(),
            entropy: self.host.bytes(),
        };
        loop {
            match author(writing.set(), &plan.writes, header.clone(), &identity) {
                Ok(made) => return Ok(Some(made)),
                Err(AuthorError::Needs(needs)) => writing.load(&needs)?,
                Err(AuthorError::Nothing) => return Ok(None),
                Err(AuthorError::Fold(error)) => return Err(StoreError::corrupt(error)),
            }
        }
    }
}
