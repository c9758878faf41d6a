//! A store in memory, devices and a server around `ingest`, for tests that say what must follow from what.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ed25519_dalek::SigningKey;
use holdfast_core::{
    author::{AuthorError, Header, Identity, author},
    document::{Actor, Document, DocumentId, Facet, Place},
    ids::{ChangeHash, RowId, Seq, Timestamp, TransactionId, UserId},
    ingest::{
        Attempt, Authority, Claim, Claimant, Conflict, ConflictId, Documents, Effects, Job, Needs, Presence, Rejection,
        RowKey, WorkingSet,
        waiting::{Awaited, Unmet, Why},
    },
    policy::Role,
    row::{ColumnEdit, ColumnEditKind, Row, RowAction, RowWrite},
    schema::Schema,
    transaction::{Opened, Transaction},
    value::Value,
};
use uuid::Uuid;

/// Tables, documents, claims and conflicts in maps.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct MemoryStore {
    pub documents: BTreeMap<DocumentId, Document>,
    pub shown: BTreeMap<RowKey, bool>,
    pub rows: BTreeMap<RowKey, Row>,
    pub claims: BTreeMap<Claim, Vec<Claimant>>,
    pub conflicts: BTreeMap<ConflictId, Conflict>,
    pub changes: BTreeSet<(DocumentId, ChangeHash)>,
}

/// Documents as jobs take them.
pub fn to_share(documents: &BTreeMap<DocumentId, Document>) -> Documents {
    let shared = documents.iter().map(|(id, document)| (*id, Arc::new(document.clone())));
    shared.collect()
}

impl MemoryStore {
    pub fn load(&self, needs: &Needs, set: &mut WorkingSet) {
        for id in &needs.documents {
            set.provide_document(*id, self.documents.get(id).cloned().unwrap_or_default());
            if id.facet == Facet::Main {
                set.provide_presence(RowKey::of(id), self.presence(&RowKey::of(id)));
            }
        }
        for key in &needs.presence {
            set.provide_presence(*key, self.presence(key));
        }
        for claim in &needs.claims {
            set.provide_claimants(claim.clone(), self.claims.get(claim).cloned().unwrap_or_default());
        }
        for key in &needs.referrers {
            set.provide_referrers(*key, self.referrers(key));
        }
        for (document, hash) in &needs.changes {
            set.provide_change(*document, *hash, self.changes.contains(&(*document, *hash)));
        }
    }

    fn presence(&self, key: &RowKey) -> Presence {
        match self.shown.get(key) {
            None => Presence::Absent,
            Some(true) => Presence::Shown,
            Some(false) => Presence::Hidden,
        }
    }

    fn referrers(&self, key: &RowKey) -> BTreeSet<RowKey> {
        let id = Value::Uuid(key.row.0);
        let columns = &Schema::hospital().by_id(key.table).referenced_by;
        let refers = |row: &Row| columns.iter().any(|(t, c)| *t == row.table && *row.get(*c) == id);
        self.rows
            .iter()
            .filter(|(_, row)| refers(row))
            .map(|(key, _)| *key)
            .collect()
    }

    pub fn write(&mut self, effects: Effects) {
        self.expect_new(&effects);
        let documents = effects.documents.into_iter();
        self.documents
            .extend(documents.map(|(id, document)| (id, Arc::unwrap_or_clone(document))));
        for (key, state) in effects.rows {
            self.shown.insert(key, state.shown);
            if state.shown {
                self.rows.insert(key, state.row);
            } else {
                self.rows.remove(&key);
            }
        }
        self.claims.extend(effects.claims);
        for (id, conflict) in effects.conflicts {
            match conflict {
                Some(mut conflict) => {
                    // One that is open already keeps the time at which it was raised.
                    let open = self.conflicts.get(&id).filter(|_| !effects.reopened.contains(&id));
                    conflict.raised_at = open.map_or(conflict.raised_at, |open| open.raised_at);
                    self.conflicts.insert(id, conflict);
                }
                None => drop(self.conflicts.remove(&id)),
            }
        }
    }

    /// A store that trusts what is said to be new inserts it without looking, and only updates the rest.
    fn expect_new(&self, effects: &Effects) {
        let new = &effects.new;
        for id in effects.documents.keys() {
            let is_there = self.documents.get(id).is_some_and(|document| !document.is_empty());
            assert_eq!(new.documents.contains(id), !is_there, "{id:?}");
        }
        for (key, state) in &effects.rows {
            let before = self.rows.get(key);
            assert_eq!(new.rows.contains(key), before.is_none(), "{key:?}");
            let Some(before) = before else { continue };
            for column in &Schema::hospital().by_id(key.table).columns {
                let differs = before.get(column.id) != state.row.get(column.id);
                assert!(
                    !differs || effects.changed[key].contains(&column.id),
                    "{key:?}: {} has another value",
                    column.name
                );
            }
        }
        for claim in effects.claims.keys() {
            let is_there = self.claims.get(claim).is_some_and(|claimants| !claimants.is_empty());
            assert_eq!(new.claims.contains(claim), !is_there, "{claim:?}");
        }
    }

    pub fn carry_out(&mut self, job: &Job<'_>) -> Result<(), Rejection> {
        self.carry_out_in(WorkingSet::default(), job)
    }

    /// In a set that knows something already.
    pub fn carry_out_in(&mut self, mut set: WorkingSet, job: &Job<'_>) -> Result<(), Rejection> {
        loop {
            match set.attempt(job) {
                Attempt::Load(needs) => self.load(&needs, &mut set),
                Attempt::Write(effects) => self.write(*effects),
                Attempt::Missing(all) => match (all.first().copied(), job) {
                    (Some(awaited @ Awaited::Row(_)), Job::Ingest { opened, .. }) => {
                        let why = Why::Absent;
                        return Err(Unmet { awaited, why }.rejection(opened));
                    }
                    _ => panic!("builds on changes that are not here: {all:?}"),
                },
                Attempt::Done(result) => {
                    if let (Ok(()), Job::Ingest { opened, .. }) = (&result, job) {
                        self.changes
                            .extend(opened.body.changes.iter().map(|c| (c.document, c.hash)));
                    }
                    self.write(set.take_effects());
                    return result;
                }
            }
        }
    }

    /// The rows of a table by id.
    pub fn table(&self, name: &str) -> Vec<&Row> {
        let id = Schema::hospital().expect(name).id;
        self.rows.values().filter(|r| r.table == id).collect()
    }

    pub fn value(&self, table: &str, id: RowId, column: &str) -> Option<Value> {
        let table = Schema::hospital().expect(table);
        self.rows
            .get(&RowKey {
                table: table.id,
                row: id,
            })
            .map(|row| row.named(table, column).clone())
    }

    /// Every key, reference and length of the tables holds.
    pub fn check_constraints(&self) {
        let schema = Schema::hospital();
        for (key, row) in &self.rows {
            let table = schema.by_id(key.table);
            for column in &table.columns {
                let value = row.get(column.id);
                if column.merge == holdfast_core::schema::Merge::Server {
                    continue;
                }
                value
                    .check(column)
                    .unwrap_or_else(|e| panic!("{}.{} {e}: {row:?}", table.name, column.name));
                if let (Some(target), Value::Uuid(id)) = (column.references, value) {
                    let target = RowKey {
                        table: target,
                        row: RowId(*id),
                    };
                    assert!(
                        self.rows.contains_key(&target),
                        "{}.{} leads nowhere",
                        table.name,
                        column.name
                    );
                }
                if column.claim && !value.is_null() {
                    let same = self
                        .rows
                        .values()
                        .filter(|r| r.table == row.table && r.get(column.id) == value);
                    assert_eq!(same.count(), 1, "{}.{} {value:?} twice", table.name, column.name);
                }
            }
        }
    }
}

/// A hospital's stream.
#[derive(Default)]
pub struct Server {
    pub store: MemoryStore,
    pub log: Vec<Transaction>,
}

impl Server {
    pub fn push(&mut self, transaction: &Transaction) -> Result<Seq, Rejection> {
        let opened = transaction.open().expect("opens");
        if let Some(at) = self
            .log
            .iter()
            .position(|t| t.body().expect("decodes").id == opened.body.id)
        {
            return Ok(Seq(at as u64 + 1));
        }
        let seq = Seq(self.log.len() as u64 + 1);
        let authority = Authority::Judge {
            role: Role::Admin,
            import: false,
        };
        self.store.carry_out(&Job::Ingest {
            opened: &opened,
            place: Place::Stream(seq),
            authority,
        })?;
        self.log.push(transaction.clone());
        Ok(seq)
    }
}

/// A device with its replica and outbox.
pub struct Device {
    pub store: MemoryStore,
    pub outbox: Vec<Transaction>,
    pub cursor: usize,
    identity: Identity,
    made: u64,
}

impl Device {
    pub fn new(number: u8) -> Self {
        let key = SigningKey::from_bytes(&[number; 32]);
        let device = holdfast_core::ids::DeviceId::of_public_key(&key.verifying_key().to_bytes());
        let identity = Identity {
            user: UserId(Uuid::from_u128(number.into())),
            key,
            actor: Actor::new(device, 1),
        };
        Self {
            store: MemoryStore::default(),
            outbox: Vec::new(),
            cursor: 0,
            identity,
            made: 0,
        }
    }

    /// What its signatures are checked with.
    pub fn public_key(&self) -> [u8; 32] {
        self.identity.key.verifying_key().to_bytes()
    }

    /// Makes a transaction and keeps it, or says why not.
    pub fn run(&mut self, writes: &[RowWrite]) -> Result<Transaction, Rejection> {
        Ok(self.run_if_new(writes)?.expect("something to write"))
    }

    /// The same; `None` if nothing differs.
    pub fn run_if_new(&mut self, writes: &[RowWrite]) -> Result<Option<Transaction>, Rejection> {
        self.make(writes, false)
    }

    /// Takes over rows from elsewhere, as the server's own device does.
    pub fn import(&mut self, writes: &[RowWrite]) -> Result<Option<Transaction>, Rejection> {
        self.make(writes, true)
    }

    fn make(&mut self, writes: &[RowWrite], import: bool) -> Result<Option<Transaction>, Rejection> {
        self.made += 1;
        let number = u128::from(self.identity.key.to_bytes()[0]) << 64 | u128::from(self.made);
        let header = Header {
            id: TransactionId(Uuid::from_u128(number)),
            first: None,
            time: Timestamp(self.made as i64 * 1_000_000),
            offline: true,
            command: "test".into(),
            entropy: [7; 16],
        };
        let mut set = WorkingSet::default();
        let (transaction, opened) = loop {
            match author(&set, writes, header.clone(), &self.identity) {
                Err(AuthorError::Needs(needs)) => self.store.load(&needs, &mut set),
                Err(AuthorError::Nothing) => return Ok(None),
                other => break other.expect("folds"),
            }
        };
        let authority = Authority::Judge {
            role: Role::Admin,
            import,
        };
        self.store.carry_out(&Job::Ingest {
            opened: &opened,
            place: Place::Pending,
            authority,
        })?;
        assert_eq!(transaction.open().expect("opens").body, opened.body);
        self.outbox.push(transaction.clone());
        Ok(Some(transaction))
    }

    pub fn pull(&mut self, server: &Server) {
        for (i, transaction) in server.log.iter().enumerate().skip(self.cursor) {
            let seq = Seq(i as u64 + 1);
            let opened = transaction.open().expect("opens");
            let own = self.outbox.iter().position(|t| t.body == transaction.body);
            let job = match own {
                Some(_) => Job::Confirm { opened: &opened, seq },
                None => Job::Ingest {
                    opened: &opened,
                    place: Place::Stream(seq),
                    authority: Authority::Follow,
                },
            };
            self.store.carry_out(&job).expect("the stream is followed");
            own.map(|at| self.outbox.remove(at));
        }
        self.cursor = server.log.len();
    }

    /// Pushes all that waits, in order, and pulls.
    pub fn sync(&mut self, server: &mut Server) -> Vec<Rejection> {
        let refused = self.outbox.iter().filter_map(|t| server.push(t).err()).collect();
        self.pull(server);
        refused
    }
}

pub fn opened(transaction: &Transaction) -> Opened {
    transaction.open().expect("opens")
}

pub fn id(number: u128) -> RowId {
    RowId(Uuid::from_u128(number))
}

/// A new row; columns by name, values as SQL text.
pub fn create(table: &str, row: RowId, values: &[(&str, &str)]) -> RowWrite {
    let table = Schema::hospital().expect(table);
    let mut all: Vec<_> = values
        .iter()
        .map(|(c, v)| (table.expect(c).id, value(table, c, v)))
        .collect();
    if let Some(key) = table.column("id") {
        all.push((key.id, Value::Uuid(row.0)));
    }
    RowWrite {
        table: table.id,
        row,
        action: RowAction::Create(all),
    }
}

pub fn edit(table: &str, row: RowId, values: &[(&str, &str)]) -> RowWrite {
    let table = Schema::hospital().expect(table);
    let edits = values
        .iter()
        .map(|(c, v)| ColumnEdit {
            column: table.expect(c).id,
            kind: ColumnEditKind::Set {
                value: value(table, c, v),
                seen: None,
            },
        })
        .collect();
    RowWrite {
        table: table.id,
        row,
        action: RowAction::Edit(edits),
    }
}

pub fn add(table: &str, row: RowId, column: &str, by: i64) -> RowWrite {
    let table = Schema::hospital().expect(table);
    let edit = ColumnEdit {
        column: table.expect(column).id,
        kind: ColumnEditKind::Add(by),
    };
    RowWrite {
        table: table.id,
        row,
        action: RowAction::Edit(vec![edit]),
    }
}

pub fn delete(table: &str, row: RowId) -> RowWrite {
    RowWrite {
        table: Schema::hospital().expect(table).id,
        row,
        action: RowAction::Delete,
    }
}

/// A value from SQL text; the empty text is null.
fn value(table: &holdfast_core::schema::Table, column: &str, text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        Value::from_sql_text(table.expect(column), text).expect("fits")
    }
}

pub fn patient(number: u128, patient_number: &str) -> RowWrite {
    let values = [
        ("patient_number", patient_number),
        ("first_name", "Ada"),
        ("last_name", "Quill"),
        ("date_of_birth", "1980-05-05"),
    ];
    create("patients", id(number), &values)
}

pub fn room(number: u128) -> RowWrite {
    create("rooms", id(number), &[("room_number", &number.to_string())])
}

pub fn bed(number: u128, room: u128) -> RowWrite {
    let room = id(room).to_string();
    let bed_number = number.to_string();
    create(
        "beds",
        id(number),
        &[("bed_number", &bed_number), ("room_id", &room), ("status", "available")],
    )
}

pub fn admit(bed: u128, patient: u128, at: &str) -> RowWrite {
    let patient = id(patient).to_string();
    edit(
        "beds",
        id(bed),
        &[("patient_id", &patient), ("status", "occupied"), ("admission_date", at)],
    )
}

pub fn doctor(number: u128) -> RowWrite {
    let values = [
        ("username", "d"),
        ("email", "d@example.org"),
        ("role", "doctor"),
        ("first_name", "D"),
        ("last_name", "E"),
    ];
    create("users", id(number), &values)
}

pub fn treatment(number: u128, patient: RowId) -> RowWrite {
    let (patient, doctor) = (patient.to_string(), id(900).to_string());
    let values = [
        ("patient_id", patient.as_str()),
        ("doctor_id", &doctor),
        ("treatment_type", "therapy"),
        ("treatment_name", "rest"),
        ("start_date", "2026-01-01T10:00:00Z"),
    ];
    create("treatment_records", id(number), &values)
}

/// Makes a deleted row again, as it was.
pub fn create_nothing(table: &str, row: RowId) -> RowWrite {
    RowWrite {
        table: Schema::hospital().expect(table).id,
        row,
        action: RowAction::Create(Vec::new()),
    }
}
