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
    ingest::{Attempt, Job, Needs, Rejection, WorkingSet},
    schema::Side,
};
use rusqlite::Connection;

use crate::StoreError;

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

    /// Loads what somebody needs.
    pub fn load(&mut self, needs: &Needs) -> Result<(), StoreError> {
        load::load(self.connection, needs, &mut self.set)
    }

    /// Carries out a job, or says why it is refused. What it does may not be written before [`Writing::flush`].
    pub fn carry_out(&mut self, job: &Job<'_>) -> Result<Result<(), Rejection>, StoreError> {
        loop {
            match self.set.attempt(job) {
                Attempt::Load(needs) => self.load(&needs)?,
                Attempt::Write(effects) => {
                    self.changed
                        .extend(write::write(self.connection, &effects, self.side, self.now)?);
                }
                Attempt::Done(outcome) => return Ok(outcome),
            }
        }
    }

    /// Carries out a job that nobody judges.
    pub fn follow(&mut self, job: &Job<'_>) -> Result<(), StoreError> {
        self.carry_out(job)?
            .map_err(|rejection| StoreError::Refused(rejection.to_string()))
    }

    /// Writes what is to be written, so that reading the tables shows it.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let effects = self.set.take_effects();
        self.changed
            .extend(write::write(self.connection, &effects, self.side, self.now)?);
        Ok(())
    }

    /// Writes what is to be written. Returns the tables whose rows changed.
    pub fn finish(mut self) -> Result<BTreeSet<&'static str>, StoreError> {
        self.flush()?;
        Ok(self.changed)
    }
}
