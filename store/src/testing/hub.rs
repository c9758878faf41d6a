//! A [`TestServer`] that is a ward's hub, and what it exchanges with the hospital's, step by step.
//!
//! ```text
//!  exchange = access, pages until in step, pushes until none, pages until in step
//! ```

use std::collections::HashMap;

use holdfast_core::{
    ids::{Seq, TransactionId},
    protocol::{PullResponse, PushOutcome},
};

use super::TestServer;
use crate::{ServerStore, StoreError};

/// What the hospital's server answered a hub.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The page after a place.
    Page(Seq, PullResponse),
    /// The hub's place is none in its history.
    Diverged,
    /// What became of what was pushed.
    Outcomes(Vec<TransactionId>, Vec<PushOutcome>),
}

impl TestServer {
    /// A hub of this server's hospital that has copied nothing yet.
    pub fn hub(hospital: &Self, seed: u64) -> Result<Self, StoreError> {
        let mut store = ServerStore::in_memory(hospital.clock.host(seed))?;
        store.become_hub(hospital.store.hospital_id()?)?;
        Ok(Self {
            store,
            clock: hospital.clock.clone(),
            snapshot_page: hospital.snapshot_page,
            pull_page: hospital.pull_page,
            host: hospital.clock.host(!seed),
            sessions: HashMap::new(),
        })
    }

    /// A hub takes over who may sign in where.
    pub fn take_access(&mut self, hospital: &mut Self) -> Result<(), StoreError> {
        self.store.take_access(&hospital.store.access()?, self.clock.now())?;
        self.sessions.extend(hospital.sessions.clone());
        Ok(())
    }

    /// A hub asks for the next page of the stream.
    pub fn ask_page(&self, hospital: &Self) -> Result<Answer, StoreError> {
        let after = self.store.head()?;
        if let Some(mark) = self.store.mark(after)?
            && !hospital.store.is_in_history(after, &mark)?
        {
            return Ok(Answer::Diverged);
        }
        let pulled = hospital.store.pull(after, hospital.pull_page, 1 << 20)?;
        let page = PullResponse {
            cursor: pulled.entries.last().map_or(pulled.head, |entry| entry.seq),
            head: pulled.head,
            checksum: pulled.checksum(holdfast_core::policy::Role::Admin),
            entries: pulled.entries,
            relayed: None,
        };
        Ok(Answer::Page(after, page))
    }

    /// A hub pushes; `None` if there is nothing to be pushed.
    pub fn ask_push(&self, hospital: &mut Self) -> Result<Option<Answer>, StoreError> {
        let pushed = self.store.to_push(self.clock.now(), self.pull_page, 1 << 20)?;
        if pushed.is_empty() {
            return Ok(None);
        }
        let (ids, transactions) = pushed.into_iter().unzip();
        Ok(Some(Answer::Outcomes(ids, hospital.take(transactions, None)?)))
    }

    /// A hub takes an answer in. True if it is in step with the stream.
    pub fn take_answer(&mut self, answer: &Answer) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let followed = match answer {
            Answer::Outcomes(pushed, outcomes) => {
                self.store.take_outcomes(pushed, outcomes, now)?;
                return Ok(false);
            }
            Answer::Diverged => None,
            Answer::Page(after, page) => Some(self.store.follow(*after, page, now)?),
        };
        if let Some(followed) = followed.filter(|followed| !followed.differs) {
            return Ok(followed.in_step);
        }
        self.store.diverged()?;
        Ok(false)
    }

    /// A hub exchanges everything with the hospital's server.
    pub fn exchange(&mut self, hospital: &mut Self) -> Result<(), StoreError> {
        self.take_access(hospital)?;
        self.follow(hospital)?;
        while let Some(answer) = self.ask_push(hospital)? {
            self.take_answer(&answer)?;
        }
        self.follow(hospital)
    }

    /// A hub copies the stream to its end.
    pub fn follow(&mut self, hospital: &Self) -> Result<(), StoreError> {
        while !self.take_answer(&self.ask_page(hospital)?)? {}
        Ok(())
    }
}
