//! The server's side of the protocol over a [`ServerStore`], as small as it can be.

use std::collections::HashMap;

use holdfast_core::{
    author::{Header, Identity, author},
    document::{Actor, Document, DocumentId, Facet},
    ids::{DeviceId, RowId, Seq, TransactionId, UserId},
    ingest::WorkingSet,
    policy::Role,
    protocol::{self, ErrorResponse, PullResponse, PushOutcome, PushRequest, PushResponse, SignInResponse},
    row::{RowAction, RowWrite},
    schema::{Default, SCHEMA_VERSION, Schema},
    transaction::Transaction,
    value::Value,
};
use serde_json::{Map, Value as Json};

use super::{Clock, Dump, dump};
use crate::{
    Host, ServerStore, StoreError,
    replica::{HttpRequest, RequestKind},
    server::Submission,
};

/// A server. Tokens are user names with the device's key: nobody has a password.
pub struct TestServer {
    /// The store.
    pub store: ServerStore,
    /// The clock that all share.
    pub clock: Clock,
    /// How many documents a page of the snapshot has.
    pub snapshot_page: usize,
    /// How many entries a page of the stream has.
    pub pull_page: usize,
    host: Host,
    sessions: HashMap<String, (UserId, DeviceId)>,
}

impl TestServer {
    /// A server of an empty hospital.
    pub fn new() -> Result<Self, StoreError> {
        let clock = Clock::default();
        Ok(Self {
            store: ServerStore::in_memory(clock.host(1))?,
            host: clock.host(2),
            clock,
            snapshot_page: 100,
            pull_page: 100,
            sessions: HashMap::new(),
        })
    }

    /// Imports a row, as the server's own device does. Defaults are filled in.
    pub fn import(&mut self, table: &str, id: RowId, values: &Json) -> Result<PushOutcome, StoreError> {
        let write = self.row(table, id, values.as_object().unwrap_or(&Map::new()));
        let mut set = WorkingSet::default();
        for facet in [Facet::Main, Facet::Restricted] {
            let id = DocumentId {
                facet,
                ..DocumentId::main(write.table, id)
            };
            set.provide_document(id, Document::default());
        }
        let key = self.store.server_key()?;
        let device = DeviceId::of_public_key(&key.verifying_key().to_bytes());
        let header = Header {
            id: TransactionId(self.host.new_id()),
            time: self.host.now(),
            offline: false,
            command: "import".to_owned(),
            entropy: self.host.bytes(),
        };
        let identity = Identity {
            user: UserId(uuid::Uuid::nil()),
            key,
            actor: Actor::new(device, u32::from_be_bytes(self.host.bytes())),
        };
        let (transaction, opened) =
            author(&set, &[write], header, &identity).map_err(|e| StoreError::corrupt(format!("{e:?}")))?;
        let submission = Submission {
            transaction,
            opened,
            role: Role::Admin,
            import: true,
        };
        let mut outcomes = self.store.accept(&[submission], self.clock.now())?;
        outcomes.pop().ok_or_else(|| StoreError::corrupt("no outcome"))
    }

    fn row(&self, table: &str, id: RowId, values: &Map<String, Json>) -> RowWrite {
        let table = Schema::hospital().expect(table);
        let default = |default| match default {
            Some(Default::Now) => Value::Timestamp(self.clock.now()),
            Some(Default::Literal(text)) => Value::Text(text.to_owned()),
            Some(Default::Uuid) | None => Value::Null,
        };
        let written = crate::tables::replicated(table).filter(|c| c.name != "updated_at");
        let values = written.map(|column| {
            let value = match values.get(column.name) {
                Some(json) => Value::from_json(column, json),
                None if column.primary_key => Ok(id.into()),
                None => match default(column.default) {
                    Value::Text(text) => Value::from_sql_text(column, &text),
                    other => Ok(other),
                },
            };
            (
                column.id,
                value.expect("BUG: a value of a test does not fit its column"),
            )
        });
        RowWrite {
            table: table.id,
            row: id,
            action: RowAction::Create(values.collect()),
        }
    }

    /// Signs a user in on a device.
    pub fn sign_in(&mut self, username: &str, key: &[u8; 32]) -> Result<SignInResponse, StoreError> {
        let account = self.store.account_by_username(username)?;
        let account = account.ok_or_else(|| StoreError::corrupt(format!("no user {username}")))?;
        let now = self.clock.now();
        let device = self.store.register_device(key, "test", account.user, now)?;
        let token = format!("{username}@{}", device.id);
        self.sessions.insert(token.clone(), (account.user, device.id));
        Ok(SignInResponse {
            token,
            hospital_id: self.store.hospital_id()?.to_string(),
            user_id: account.user,
            username: account.username,
            display_name: account.display_name,
            role: account.role,
            server_time: now.0,
            schema_version: SCHEMA_VERSION,
        })
    }

    /// Every row of every table.
    pub fn dump(&self) -> Result<Dump, StoreError> {
        dump::check(&self.store.connection)?;
        dump::dump(&self.store.connection)
    }

    /// Ends every session: devices have to sign in again.
    pub fn forget_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Answers a request: status and body.
    pub fn handle(&mut self, token: &str, request: &HttpRequest) -> Result<(u16, Vec<u8>), StoreError> {
        let Some((user, device)) = self.sessions.get(token).copied() else {
            return Ok(error(401, "unauthorized", "Sign in again."));
        };
        let role = self.role(user)?;
        match &request.kind {
            RequestKind::Push(_) => self.push(device, &request.body),
            RequestKind::Pull(after) => self.pull(*after, role),
            RequestKind::Snapshot(after) => {
                let may_see = |id: &DocumentId| role.may_see(id);
                let page = self.store.snapshot(after.as_deref(), self.snapshot_page, &may_see)?;
                Ok(page.map_or_else(
                    || error(400, "malformed", "There is no such page."),
                    |page| (200, protocol::encode(&page)),
                ))
            }
        }
    }

    fn role(&self, user: UserId) -> Result<Role, StoreError> {
        let account = self.store.account(user)?;
        Ok(account.and_then(|a| a.role.parse().ok()).unwrap_or(Role::Auditor))
    }

    fn push(&mut self, device: DeviceId, body: &[u8]) -> Result<(u16, Vec<u8>), StoreError> {
        let Ok(request) = protocol::decode::<PushRequest>(body) else {
            return Ok(error(400, "malformed", "This is no push."));
        };
        let submissions: Result<Vec<_>, _> = request
            .transactions
            .into_iter()
            .map(|transaction| self.submission(device, transaction))
            .collect();
        let outcomes = self.store.accept(&submissions?, self.clock.now())?;
        Ok((200, protocol::encode(&PushResponse { outcomes })))
    }

    fn submission(&self, device: DeviceId, transaction: Transaction) -> Result<Submission, StoreError> {
        let opened = transaction.open().map_err(StoreError::corrupt)?;
        let body = &opened.body;
        let known = self
            .store
            .device(device)?
            .ok_or_else(|| StoreError::corrupt("an unknown device"))?;
        transaction
            .verify(body, &known.public_key)
            .map_err(StoreError::corrupt)?;
        if !self.store.has_signed_in(device, body.user)? {
            return Err(StoreError::corrupt("a user who never signed in on this device"));
        }
        Ok(Submission {
            role: self.role(body.user)?,
            import: false,
            transaction,
            opened,
        })
    }

    fn pull(&self, after: Seq, role: Role) -> Result<(u16, Vec<u8>), StoreError> {
        let mut page = self.store.pull(after, self.pull_page, 1 << 20)?;
        for entry in &mut page.entries {
            let body = entry.transaction.body().map_err(StoreError::corrupt)?;
            entry.transaction = entry.transaction.withhold(&body, |id| role.may_see(id));
        }
        let response = PullResponse {
            cursor: page.entries.last().map_or(page.head, |entry| entry.seq),
            entries: page.entries,
            head: page.head,
        };
        Ok((200, protocol::encode(&response)))
    }
}

fn error(status: u16, code: &str, message: &str) -> (u16, Vec<u8>) {
    let error = ErrorResponse {
        code: code.to_owned(),
        message: message.to_owned(),
    };
    (status, serde_json::to_vec(&error).unwrap_or_default())
}
