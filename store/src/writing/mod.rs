//! Core's jobs, carried out inside one SQLite transaction of the caller.
//!
//! ```text
//!  carry_out(job):  attempt ──► Load(needs) ──► load ──► again
//!                      ├──────► Write(effects) ──► write ──► again
//!                      └──────► Done
//!  finish():        what is still to be written
//! ```

mod load;
mod write;

use std::collections::BTreeSet;

use holdfast_core::{
    ids::Timestamp,
    ingest::{Attempt, Effects, Job, Needs, Rejection, WorkingSet, waiting::Awaited},
    schema::Side,
    transaction::ChangeName,
};
use rusqlite::Connection;

use crate::StoreError;

/// Why a job was not carried out. It has changed nothing.
#[derive(Debug)]
pub(crate) enum Undone {
    /// It builds on these changes, and refers to these rows, which are not here.
    Missing(BTreeSet<Awaited>),
    /// It is refused.
    Rejected(Rejection),
}

/// What one SQLite transaction has loaded and has to write. The caller begins and commits the transaction.
pub(crate) struct Writing<'c> {
    connection: &'c Connection,
    side: Side,
    now: Timestamp,
    set: WorkingSet,
    changed: BTreeSet<&'static str>,
}

impl<'c> Writing<'c> {
    pub fn new(connection: &'c Connection, side: Side, now: Timestamp) -> Self {
        Self {
            connection,
            side,
            now,
            set: WorkingSet::default(),
            changed: BTreeSet::new(),
        }
    }

    /// What is loaded.
    pub fn set(&self) -> &WorkingSet {
        &self.set
    }

    /// What is loaded, for somebody who writes nothing.
    pub fn into_set(self) -> WorkingSet {
        self.set
    }

    /// Gives out what is loaded, to be put back. There is nothing to be written.
    pub fn take_set(&mut self) -> WorkingSet {
        std::mem::take(&mut self.set)
    }

    /// Puts back what was given out. What was done to it meanwhile has been written.
    pub fn put_set(&mut self, set: WorkingSet) {
        self.set = set;
    }

    /// Loads what somebody needs.
    pub fn load(&mut self, needs: &Needs) -> Result<(), StoreError> {
        load::load(self.connection, needs, &mut self.set)
    }

    /// Loads what somebody needs into a set of its own, while what is loaded is given out.
    pub fn load_apart(&self, needs: &Needs) -> Result<WorkingSet, StoreError> {
        let mut set = WorkingSet::default();
        load::load(self.connection, needs, &mut set)?;
        Ok(set)
    }

    /// A change is in its document's history. For a device, which has only the ends of that.
    pub fn know(&mut self, change: ChangeName) {
        self.set.provide_change(change.document, change.hash, true);
    }

    /// Carries out a job, or says why not. What it does may not be written before [`Writing::flush`].
    pub fn carry_out(&mut self, job: &Job<'_>) -> Result<Result<(), Undone>, StoreError> {
        loop {
            match self.set.attempt(job) {
                Attempt::Load(needs) => self.load(&needs)?,
                Attempt::Write(effects) => self.write(*effects)?,
                Attempt::Missing(all) => return Ok(Err(Undone::Missing(all))),
                Attempt::Done(outcome) => return Ok(outcome.map_err(Undone::Rejected)),
            }
        }
    }

    /// Carries out a job that nobody judges.
    pub fn follow(&mut self, job: &Job<'_>) -> Result<(), StoreError> {
        self.carry_out(job)?.map_err(|undone| match undone {
            Undone::Rejected(rejection) => StoreError::Refused(rejection.to_string()),
            Undone::Missing(all) => StoreError::corrupt(format!("it lacks {all:?}")),
        })
    }

    /// Writes what is to be written, so that reading the tables shows it.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let effects = self.set.take_effects();
        self.write(effects)
    }

    /// Writes what a set that was given out has done.
    #[cfg_attr(not(feature = "testing"), expect(unused_mut, reason = "only tests break it"))]
    pub fn write(&mut self, mut effects: Effects) -> Result<(), StoreError> {
        #[cfg(feature = "testing")]
        crate::testing::break_effects(&mut effects);
        let changed = write::write(self.connection, &effects, self.side, self.now)?;
        self.changed.extend(changed);
        Ok(())
    }

    /// Writes what is to be written. Returns the tables whose rows changed.
    pub fn finish(mut self) -> Result<BTreeSet<&'static str>, StoreError> {
        self.flush()?;
        Ok(self.changed)
    }
}
