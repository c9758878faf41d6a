//! The server's side of the protocol over a [`ServerStore`], as small as it can be.

use std::collections::BTreeSet;

use holdfast_core::{
    author::{Header, Identity, author},
    document::{Actor, DocumentId, Facet, Place},
    ids::{DeviceId, RowId, Seq, Timestamp, TransactionId, UserId},
    ingest::{Authority, Job, Needs},
    policy::Role,
    protocol::{self, ErrorResponse, PullResponse, PushOutcome, PushRequest, PushResponse, SignInResponse},
    row::{ColumnEdit, ColumnEditKind, RowAction, RowWrite},
    schema::{Default, SCHEMA_VERSION, Schema, Side},
    transaction::{DeviceKey, LogEntry, Mark, Transaction},
    value::Value,
};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value as Json};

use super::{Clock, Crash, CrashPoint, Database, Disk, Dump, State, dump};
use crate::{
    Host, ServerStore, StoreError, hex,
    replica::{HttpRequest, RequestKind},
    schema::prepare,
    server::{Objection, Session, Submission, TokenHash},
    writing::Writing,
};

/// A server. Nobody has a password, and sessions do not end by themselves.
pub struct TestServer {
    /// The store.
    pub store: ServerStore,
    /// The clock that all share.
    pub clock: Clock,
    /// How many documents a page of the snapshot has.
    pub snapshot_page: usize,
    /// How many entries a page of the stream has.
    pub pull_page: usize,
    pub(super) host: Host,
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
        })
    }

    /// A server that starts with this disk.
    pub fn start(disk: &Disk, clock: Clock, seed: u64) -> Result<Self, StoreError> {
        Self::over(disk.mount()?, clock, seed)
    }

    /// A process of a server that starts, beside others over the same database.
    pub fn join(database: &Database, clock: Clock, seed: u64) -> Result<Self, StoreError> {
        Self::over(database.connect()?, clock, seed)
    }

    fn over(connection: Connection, clock: Clock, seed: u64) -> Result<Self, StoreError> {
        Ok(Self {
            store: ServerStore::from_connection(connection, clock.host(seed))?,
            host: clock.host(!seed),
            clock,
            snapshot_page: 100,
            pull_page: 100,
        })
    }

    /// Its disk as it is now.
    pub fn disk(&self) -> Result<Disk, StoreError> {
        Disk::copy(&self.store.connection)
    }

    /// Lets it die at a point.
    pub fn crash_at(&self, point: CrashPoint) -> Result<Crash, StoreError> {
        Crash::arm(&self.store.connection, point)
    }

    /// It starts again, with its disk as it is, after a crash too.
    pub fn restart(self, seed: u64) -> Result<Self, StoreError> {
        Crash::clear(&self.store.connection)?;
        Ok(Self {
            store: ServerStore::from_connection(self.store.connection, self.clock.host(seed))?,
            ..self
        })
    }

    /// Imports a row, as the server's own device does. Defaults are filled in.
    pub fn import(&mut self, table: &str, id: RowId, values: &Json) -> Result<PushOutcome, StoreError> {
        let write = self.row(table, id, values.as_object().unwrap_or(&Map::new()));
        self.write(&write)
    }

    /// Gives a user another role, as the office does.
    pub fn set_role(&mut self, user: RowId, role: &str) -> Result<PushOutcome, StoreError> {
        let users = Schema::hospital().expect("users");
        let edit = ColumnEdit {
            column: users.expect("role").id,
            kind: ColumnEditKind::Set {
                value: Value::Text(role.to_owned()),
                seen: None,
            },
        };
        self.write(&RowWrite {
            table: users.id,
            row: user,
            action: RowAction::Edit(vec![edit]),
        })
    }

    fn write(&mut self, write: &RowWrite) -> Result<PushOutcome, StoreError> {
        let documents = [Facet::Main, Facet::Restricted].map(|facet| DocumentId {
            facet,
            ..DocumentId::main(write.table, write.row)
        });
        let set = self.store.load(&Needs {
            documents: documents.into_iter().collect(),
            ..Needs::default()
        })?;
        let key = self.store.server_key()?;
        let device = DeviceId::of_public_key(&key.verifying_key().to_bytes());
        let header = Header {
            id: TransactionId(self.host.new_id()),
            first: None,
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
        let (transaction, opened) = author(&set, std::slice::from_ref(write), header, &identity)
            .map_err(|e| StoreError::corrupt(format!("{e:?}")))?;
        let submission = Submission {
            transaction,
            opened,
            role: Role::Admin,
            import: true,
            objection: None,
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
        let device = DeviceId::of_public_key(key);
        if self.store.hub()?.is_none() {
            self.store.register_device(key, "test", account.user, now)?;
        } else if !self.store.has_signed_in(device, account.user)? {
            return Err(StoreError::corrupt("the hospital's server must see this user first"));
        }
        let token: TokenHash = self.host.bytes();
        let session = Session {
            user: account.user,
            device,
            created_at: now,
            expires_at: Timestamp(i64::MAX),
        };
        if self.store.hub()?.is_none() {
            self.store.open_session(&token, &session)?;
        } else {
            self.store.open_own_session(&token, &session)?;
        }
        Ok(SignInResponse {
            token: hex::encode(&token),
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

    /// All that it holds.
    pub fn state(&self) -> Result<State, StoreError> {
        State::read(&self.store.connection)
    }

    /// All that a server would hold that had nothing but this one's log.
    pub fn refolded(&self) -> Result<State, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        prepare(&mut connection, Side::Server, None)?;
        let transaction = connection.transaction()?;
        let mut writing = Writing::new(&transaction, Side::Server, self.clock.now());
        for entry in self.log()? {
            let opened = entry.transaction.open().map_err(StoreError::corrupt)?;
            writing.follow(&Job::Ingest {
                opened: &opened,
                place: Place::Stream(entry.seq),
                authority: Authority::Follow,
            })?;
        }
        writing.finish()?;
        transaction.commit()?;
        State::read(&connection)
    }

    /// The whole stream.
    pub fn log(&self) -> Result<Vec<LogEntry>, StoreError> {
        Ok(self.store.pull(Seq(0), usize::MAX >> 1, usize::MAX)?.entries)
    }

    /// How many entries of the stream a device made at a time by its clock.
    pub fn count_in_log(&self, device: DeviceId, made_at: Timestamp) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM sync_log WHERE device = ?1 AND time = ?2";
        let mut statement = self.store.connection.prepare_cached(sql)?;
        let count: i64 = statement.query_row((device.to_string(), made_at.0), |row| row.get(0))?;
        Ok(count as u64)
    }

    /// How many of a supply are in stock.
    pub fn stock(&self, supply: RowId) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT current_stock FROM supplies WHERE id = ?1";
        let mut statement = self.store.connection.prepare_cached(sql)?;
        Ok(statement.query_row([supply.to_string()], |row| row.get(0)).optional()?)
    }

    /// The transactions in quarantine.
    pub fn quarantined(&self) -> Result<BTreeSet<TransactionId>, StoreError> {
        let refused = self.store.quarantine(usize::MAX >> 1)?;
        Ok(refused.into_iter().map(|one| one.id).collect())
    }

    /// Changes the store behind the server's back.
    pub fn spoil(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.store.connection.execute_batch(sql)?)
    }

    /// Ends every session: devices have to sign in again.
    pub fn forget_sessions(&self) -> Result<(), StoreError> {
        self.spoil("DELETE FROM sync_sessions")
    }

    /// Answers a request: status and body.
    pub fn handle(&mut self, token: &str, request: &HttpRequest) -> Result<(u16, Vec<u8>), StoreError> {
        let Some(Session { user, device, .. }) = self.session(token)? else {
            return Ok(error(401, "unauthorized", "Sign in again."));
        };
        if self
            .store
            .device(device)?
            .is_none_or(|device| device.revoked_at.is_some())
        {
            return Ok(error(403, "device_revoked", "This device was locked out."));
        }
        if self.store.hub()?.is_some_and(|hub| hub.copying) {
            return Ok(error(503, "unavailable", "The hub copies the hospital."));
        }
        let role = self.role(user)?;
        match &request.kind {
            RequestKind::Identify => Ok((200, Vec::new())),
            RequestKind::Push(_) => self.push(device, &request.body),
            RequestKind::Pull(after, _) => self.pull(*after, &request.path, role),
            RequestKind::Snapshot(after) => {
                let page = self.store.snapshot(after.as_deref(), self.snapshot_page, role)?;
                Ok(page.map_or_else(
                    || error(400, "malformed", "There is no such page."),
                    |page| (200, protocol::encode(&page)),
                ))
            }
        }
    }

    /// Who is signed in with a token. It is kept as it is, for nobody here could steal it.
    fn session(&self, token: &str) -> Result<Option<Session>, StoreError> {
        let token = hex::decode(token).and_then(|token| TokenHash::try_from(token).ok());
        let found = token.map(|token| self.store.session(&token, self.clock.now()));
        Ok(found.transpose()?.flatten())
    }

    fn role(&self, user: UserId) -> Result<Role, StoreError> {
        let account = self.store.account(user)?;
        Ok(account.and_then(|a| a.role.parse().ok()).unwrap_or(Role::Auditor))
    }

    fn push(&mut self, device: DeviceId, body: &[u8]) -> Result<(u16, Vec<u8>), StoreError> {
        let Ok(request) = protocol::decode::<PushRequest>(body) else {
            return Ok(error(400, "malformed", "This is no push."));
        };
        let outcomes = self.take(request.transactions, Some(device))?;
        Ok((200, protocol::encode(&PushResponse { outcomes })))
    }

    /// Takes in what a device pushed, or what a hub did of many.
    pub(super) fn take(
        &mut self,
        transactions: Vec<Transaction>,
        device: Option<DeviceId>,
    ) -> Result<Vec<PushOutcome>, StoreError> {
        let mut judged = Vec::new();
        for transaction in transactions {
            judged.push(self.submission(device, transaction)?);
        }
        let submissions: Vec<_> = judged
            .iter()
            .filter_map(|judged| judged.as_ref().ok().cloned())
            .collect();
        let now = self.clock.now();
        let taken = match self.store.hub()? {
            None => self.store.accept(&submissions, now)?,
            Some(_) => self.store.relay(&submissions, now)?,
        };
        let mut taken = taken.into_iter();
        judged
            .into_iter()
            .map(|judged| match judged {
                Ok(_) => taken.next().ok_or_else(|| StoreError::corrupt("no outcome")),
                Err(rejected) => Ok(rejected),
            })
            .collect()
    }

    /// A transaction that may be judged, or why not. Each is of the `device` that pushes it; a hub pushes many devices'.
    fn submission(
        &self,
        device: Option<DeviceId>,
        transaction: Transaction,
    ) -> Result<Result<Submission, PushOutcome>, StoreError> {
        let opened = transaction.open().map_err(StoreError::corrupt)?;
        let body = &opened.body;
        let from_hub = device.is_none();
        let device = device.unwrap_or(body.device);
        let reject = |code: &str, reason: String| {
            Ok(Err(PushOutcome::Rejected {
                id: body.id,
                code: code.to_owned(),
                reason,
            }))
        };
        let Some(known) = self.store.device(device)? else {
            if from_hub {
                return Ok(Err(PushOutcome::Later {
                    id: body.id,
                    missing: 0,
                }));
            }
            return reject("wrong_device", "The device is not known.".to_owned());
        };
        if known.revoked_at.is_some() {
            return reject("device_revoked", "This device was locked out.".to_owned());
        }
        if let Err(error) = transaction.verify(body, &DeviceKey::new(&known.public_key)) {
            return reject("wrong_signature", error.to_string());
        }
        let signed_in = self.store.has_signed_in(device, body.user)?;
        Ok(Ok(Submission {
            role: self.role(body.user)?,
            import: false,
            objection: (!signed_in).then(|| Objection {
                code: "unknown_user",
                reason: "The user has never signed in on this device.".to_owned(),
            }),
            transaction,
            opened,
        }))
    }

    fn pull(&self, after: Seq, path: &str, role: Role) -> Result<(u16, Vec<u8>), StoreError> {
        let asked = |name: &str| {
            let mut parts = path.split(['?', '&']);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        if let Some(mark) = asked("mark")
            && !self.store.is_in_history(after, &Mark(mark.to_owned()))?
        {
            return Ok(error(409, "diverged", "The server was put back to a backup."));
        }
        let (mut page, relayed) = if self.store.hub()?.is_some() {
            let since = asked("relayed").and_then(|place| place.parse().ok());
            self.store.pull_relayed(after, since, role, self.pull_page, 1 << 20)?
        } else {
            (self.store.pull(after, self.pull_page, 1 << 20)?, None)
        };
        for entry in &mut page.entries {
            let body = entry.transaction.body().map_err(StoreError::corrupt)?;
            entry.transaction = entry.transaction.withhold(&body, |id| role.may_see(id));
        }
        let response = PullResponse {
            checksum: page.checksum(role),
            relayed,
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
