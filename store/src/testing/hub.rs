//! A [`TestServer`] that is a ward's hub, and what it exchanges with the hospital's, step by step.
//!
//! ```text
//!  exchange = access, pages until in step, pushes until none, pages until in step
//! ```

use holdfast_core::{
    ids::{DeviceId, Seq, TransactionId},
    protocol::{HubAccess, PullResponse, PushOutcome},
    transaction::{Mark, Transaction},
};

use super::TestServer;
use crate::{ServerStore, StoreError, meta};

/// What a hub asks the hospital's server.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Who may sign in where.
    Access,
    /// The page after a place that has this mark.
    Page(Seq, Option<Mark>),
    /// To take what it relays.
    Push(Vec<TransactionId>, Vec<Transaction>),
}

/// What the hospital's server answered a hub.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Who may sign in where, and who is signed in.
    Access(HubAccess),
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
        })
    }

    /// True if a hub lets this user sign in on this device though it cannot ask the hospital's server.
    pub fn may_sign_in(&self, username: &str, device: DeviceId) -> Result<bool, StoreError> {
        match self.store.account_by_username(username)? {
            Some(account) => self.store.has_signed_in(device, account.user),
            None => Ok(false),
        }
    }

    /// A hub takes over who may sign in where.
    pub fn take_access(&mut self, hospital: &mut Self) -> Result<(), StoreError> {
        self.take_answer(&hospital.answer_hub(&Ask::Access)?).map(drop)
    }

    /// The page that a hub is going to ask for.
    pub fn next_page(&self) -> Result<Ask, StoreError> {
        let after = self.store.head()?;
        Ok(Ask::Page(after, self.store.mark(after)?))
    }

    /// What a hub is going to push, if there is anything.
    pub fn next_push(&self) -> Result<Option<Ask>, StoreError> {
        let pushed = self.store.to_push(self.clock.now(), self.pull_page, 1 << 20)?;
        let (ids, transactions): (Vec<_>, Vec<_>) = pushed.into_iter().unzip();
        Ok((!ids.is_empty()).then_some(Ask::Push(ids, transactions)))
    }

    /// The hospital's server answers a hub.
    pub fn answer_hub(&mut self, ask: &Ask) -> Result<Answer, StoreError> {
        match ask {
            Ask::Access => Ok(Answer::Access(self.store.access()?)),
            Ask::Page(after, mark) => self.page(*after, mark.as_ref()),
            Ask::Push(ids, transactions) => Ok(Answer::Outcomes(ids.clone(), self.take(transactions.clone(), None)?)),
        }
    }

    /// A hub asks for the next page of the stream.
    pub fn ask_page(&self, hospital: &Self) -> Result<Answer, StoreError> {
        let after = self.store.head()?;
        hospital.page(after, self.store.mark(after)?.as_ref())
    }

    fn page(&self, after: Seq, mark: Option<&Mark>) -> Result<Answer, StoreError> {
        if let Some(mark) = mark
            && !self.store.is_in_history(after, mark)?
        {
            return Ok(Answer::Diverged);
        }
        let pulled = self.store.pull(after, self.pull_page, 1 << 20)?;
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
        self.next_push()?.map(|ask| hospital.answer_hub(&ask)).transpose()
    }

    /// A hub takes an answer in. True if it is in step with the stream.
    pub fn take_answer(&mut self, answer: &Answer) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let followed = match answer {
            Answer::Access(access) => {
                self.store.take_access(access, now)?;
                return Ok(false);
            }
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

    /// True if a hub ever came to another checksum than the hospital's server.
    pub fn has_differed(&self) -> Result<bool, StoreError> {
        Ok(meta::get::<i64>(&self.store.connection, crate::hub::DIFFERED)?.is_some())
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
