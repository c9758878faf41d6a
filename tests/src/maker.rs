//! Makes and signs transactions over what a store holds, as a device does, without being one: for tests of the stores.

use holdfast_core::{
    author::{AuthorError, Header, Identity, author},
    document::Actor,
    ids::{RowId, Timestamp, TransactionId, UserId},
    ingest::{Needs, WorkingSet},
    policy::Role,
    row::RowWrite,
};
use holdfast_server::store::{Store, Submission};

use crate::dice::Dice;

/// Noon of the last day of January 2026, when all tests begin.
pub const NOON: Timestamp = Timestamp(1_769_860_800_000_000);

/// Somebody with a device.
pub struct Maker {
    /// Their role.
    pub role: Role,
    /// They are the server itself, which imports.
    pub import: bool,
    /// What the command was first made into that they give next, if they have given it before.
    pub first: Option<TransactionId>,
    identity: Identity,
    dice: Dice,
    clock: Timestamp,
}

impl Maker {
    /// An admin. The same seed makes the same person, device, ids and times.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut identity = Identity {
            user: UserId(dice.uuid()),
            key: ed25519_dalek::SigningKey::from_bytes(&dice.bytes()),
            actor: Actor::from(Vec::new()),
        };
        identity.actor = Actor::new(identity.device(), seed as u32);
        Self {
            role: Role::Admin,
            import: false,
            first: None,
            identity,
            dice,
            clock: NOON,
        }
    }

    /// Who it is and with which key.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Signs in as somebody.
    pub fn is(&mut self, user: UserId) {
        self.identity.user = user;
    }

    /// An id for a new row.
    pub fn row(&mut self) -> RowId {
        RowId(self.dice.uuid())
    }

    /// A transaction on what the store holds now.
    pub async fn make(&mut self, store: &Store, writes: &[RowWrite]) -> Submission {
        let seen = self.look(store, writes).await;
        self.make_on(&seen, writes)
    }

    /// What the store holds now of the rows that these would write to.
    pub async fn look(&self, store: &Store, writes: &[RowWrite]) -> WorkingSet {
        let nothing = WorkingSet::default();
        let needs = match author(
            &nothing,
            writes,
            self.header(TransactionId(uuid::Uuid::nil())),
            &self.identity,
        ) {
            Err(AuthorError::Needs(needs)) => needs,
            _ => Needs::default(),
        };
        let documents = store.documents(needs.documents).await;
        documents.expect("the store loads documents")
    }

    /// A transaction on what was seen earlier, as a device makes it that is offline since.
    pub fn make_on(&mut self, seen: &WorkingSet, writes: &[RowWrite]) -> Submission {
        let made = self.make_if_new(seen, writes);
        made.unwrap_or_else(|| panic!("{writes:?} changes nothing"))
    }

    /// The same; `None` if all that is to be written was seen already.
    pub fn make_if_new(&mut self, seen: &WorkingSet, writes: &[RowWrite]) -> Option<Submission> {
        self.clock.0 += 1_000;
        let id = TransactionId(self.dice.uuid());
        let (transaction, opened) = match author(seen, writes, self.header(id), &self.identity) {
            Ok(made) => made,
            Err(AuthorError::Nothing) => return None,
            Err(error) => panic!("{writes:?} cannot be written: {error:?}"),
        };
        Some(Submission {
            transaction,
            opened,
            role: self.role,
            import: self.import,
            objection: None,
        })
    }

    fn header(&self, id: TransactionId) -> Header {
        Header {
            id,
            first: self.first,
            time: self.clock,
            offline: false,
            command: "editRow".to_owned(),
            entropy: [7; 16],
        }
    }
}
