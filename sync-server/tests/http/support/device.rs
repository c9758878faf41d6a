//! A device: its key, its session, and the transactions that it makes.

use ed25519_dalek::SigningKey;
use holdfast_core::{
    author::{AuthorError, Header, Identity, author},
    document::{Actor, Document, Place},
    ids::{DeviceId, RowId, Seq, Timestamp, TransactionId, UserId},
    ingest::{Attempt, Authority, Job, Needs, Presence, WorkingSet},
    policy::Role,
    protocol::{
        PullResponse, PushOutcome, PushRequest, PushResponse, SignInResponse, SnapshotResponse, decode, encode,
    },
    row::{ColumnEdit, ColumnEditKind, RowAction, RowWrite},
    schema::Schema,
    transaction::{Opened, Transaction},
    value::Value,
};
use holdfast_server::{
    hex,
    store::{now, random},
};
use serde_json::json;
use uuid::Uuid;

use super::{Answer, request};

/// A transaction and what it did.
#[derive(Clone)]
pub struct Signed {
    pub transaction: Transaction,
    pub opened: Opened,
}

pub struct Device {
    pub url: String,
    pub key: SigningKey,
    pub token: String,
    pub user: UserId,
    set: WorkingSet,
}

impl Device {
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            key: SigningKey::from_bytes(&random::bytes()),
            token: String::new(),
            user: UserId(Uuid::nil()),
            set: WorkingSet::default(),
        }
    }

    pub fn id(&self) -> DeviceId {
        DeviceId::of_public_key(&self.key.verifying_key().to_bytes())
    }

    pub fn public_key(&self) -> String {
        hex::encode(&self.key.verifying_key().to_bytes())
    }

    pub fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        let body = json!({
            "username": username, "password": password, "deviceKey": self.public_key(), "deviceName": "ward phone",
        });
        let body = serde_json::to_vec(&body).unwrap();
        let url = format!("{}/v1/session", self.url);
        let answer = request("POST", &url, &[("content-type", "application/json")], &body);
        if answer.status == 200 {
            let signed_in: SignInResponse = answer.json();
            (self.token, self.user) = (signed_in.token, signed_in.user_id);
        }
        answer
    }

    /// Sends a request with the device's token.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let token = format!("Bearer {}", self.token);
        let mut headers = headers.to_vec();
        headers.push(("authorization", &token));
        request(method, &format!("{}{path}", self.url), &headers, body)
    }

    pub fn push_bytes(&self, body: &[u8]) -> Answer {
        self.send("POST", "/v1/push", &[("content-type", "application/cbor")], body)
    }

    pub fn push_all(&self, transactions: Vec<Transaction>) -> Vec<PushOutcome> {
        let answer = self.push_bytes(&encode(&PushRequest { transactions }));
        assert_eq!(answer.status, 200, "{}", answer.text());
        decode::<PushResponse>(&answer.body).unwrap().outcomes
    }

    pub fn push(&self, transaction: &Transaction) -> PushOutcome {
        self.push_all(vec![transaction.clone()]).remove(0)
    }

    pub fn pull(&self, after: u64, limit: usize) -> PullResponse {
        let answer = self.send("GET", &format!("/v1/pull?after={after}&limit={limit}"), &[], &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        decode(&answer.body).unwrap()
    }

    /// True if the server takes it.
    pub fn accepted(&self, signed: &Signed) -> bool {
        match self.push(&signed.transaction) {
            PushOutcome::Accepted { .. } => true,
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// Another value for a column of a row that somebody else made: the device gets it from a snapshot first.
    pub fn edit_of_pulled(&mut self, table: &str, user: UserId, column: &str, value: Value) -> Signed {
        let answer = self.send("GET", "/v1/snapshot", &[], &[]);
        let page: SnapshotResponse = decode(&answer.body).unwrap();
        for document in page.documents {
            self.set
                .provide_document(document.id, Document::from_bytes(&document.state).unwrap());
        }
        self.edit(table, RowId(user.0), column, value)
    }

    /// A new patient of this number.
    pub fn new_patient(&mut self, number: &str) -> (RowId, Signed) {
        self.create(
            "patients",
            &[
                ("patient_number", number.into()),
                ("first_name", "Anna".into()),
                ("last_name", "Lind".into()),
                ("date_of_birth", "1980-02-29".into()),
            ],
        )
    }

    /// A new row with these values.
    pub fn create(&mut self, table: &str, values: &[(&str, Value)]) -> (RowId, Signed) {
        let table = Schema::hospital().expect(table);
        let row = RowId(random::new_id());
        let mut all = vec![(table.expect("id").id, Value::Uuid(row.0))];
        all.extend(
            values
                .iter()
                .map(|(name, value)| (table.expect(name).id, value.clone())),
        );
        let write = RowWrite {
            table: table.id,
            row,
            action: RowAction::Create(all),
        };
        (row, self.make(&[write]))
    }

    /// Another value for a column of a row that this device made.
    pub fn edit(&mut self, table: &str, row: RowId, column: &str, value: Value) -> Signed {
        let table = Schema::hospital().expect(table);
        let kind = ColumnEditKind::Set { value, seen: None };
        let edit = ColumnEdit {
            column: table.expect(column).id,
            kind,
        };
        let write = RowWrite {
            table: table.id,
            row,
            action: RowAction::Edit(vec![edit]),
        };
        self.make(&[write])
    }

    /// A transaction of these writes, as this device makes it.
    pub fn make(&mut self, writes: &[RowWrite]) -> Signed {
        self.make_at(writes, now())
    }

    pub fn make_at(&mut self, writes: &[RowWrite], time: Timestamp) -> Signed {
        let identity = Identity {
            user: self.user,
            key: self.key.clone(),
            actor: Actor::new(self.id(), 1),
        };
        loop {
            let header = Header {
                id: TransactionId(random::new_id()),
                first: None,
                time,
                offline: true,
                command: "test".to_owned(),
                entropy: random::bytes(),
            };
            match author(&self.set, writes, header, &identity) {
                Ok((transaction, opened)) => {
                    self.apply(&opened);
                    return Signed { transaction, opened };
                }
                Err(AuthorError::Needs(needs)) => self.provide(&needs),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    /// Signs a body that was changed.
    pub fn sign(&self, signed: &Signed) -> Transaction {
        let changes = signed
            .transaction
            .changes
            .iter()
            .flatten()
            .map(|c| c.to_vec())
            .collect();
        Transaction::sign(&signed.opened.body, changes, &self.key)
    }

    /// The device believes itself: it judges with all rights and takes every row for there.
    fn apply(&mut self, opened: &Opened) {
        let job = Job::Ingest {
            opened,
            place: Place::Stream(Seq(1)),
            authority: Authority::Judge {
                role: Role::Admin,
                import: true,
            },
        };
        loop {
            match self.set.attempt(&job) {
                Attempt::Load(needs) => self.provide(&needs),
                Attempt::Write(_) | Attempt::Missing(_) | Attempt::Done(_) => return,
            }
        }
    }

    fn provide(&mut self, needs: &Needs) {
        for id in &needs.documents {
            self.set.provide_document(*id, Document::default());
        }
        for key in &needs.presence {
            let known = self
                .set
                .document(&holdfast_core::document::DocumentId::main(key.table, key.row));
            let own = known.is_some_and(Document::is_empty);
            self.set
                .provide_presence(*key, if own { Presence::Absent } else { Presence::Shown });
        }
        for claim in &needs.claims {
            self.set.provide_claimants(claim.clone(), Vec::new());
        }
        for key in &needs.referrers {
            self.set.provide_referrers(*key, std::collections::BTreeSet::new());
        }
        for (document, hash) in &needs.changes {
            self.set.provide_change(*document, *hash, true);
        }
    }
}
