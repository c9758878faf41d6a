//! Devices of another version. A newer one writes a column that neither the server nor the other devices know; to an older one the
//! server knows columns more. Nobody loses what only others know.

use std::collections::BTreeSet;

use automerge::{ActorId, AutoCommit, Automerge, Change as AutomergeChange, ROOT, ReadDoc, transaction::Transactable};
use ed25519_dalek::SigningKey;
use holdfast_core::{
    document::{Actor, DocumentId},
    ids::{ChangeHash, DeviceId, TransactionId, UserId},
    protocol::{self, PushOutcome, PushRequest, PushResponse},
    schema::{SCHEMA_VERSION, Schema},
    transaction::{Body, ChangeName, Transaction},
};
use holdfast_store::{
    StoreError,
    replica::{HttpRequest, HttpResponse, Method, RequestKind},
    testing::{Chance, TestServer},
};

use crate::{check::Violation, dice::Dice, hospital};

/// The patients to whom they write.
pub const PATIENTS: std::ops::Range<u128> = 0x81..0x87;

/// The column that only the newer one knows.
pub const COLUMN: &str = "shoe_size";

/// Which one. They have no store: they know what the server knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// It knows a column more than all others.
    Newer,
    /// It knows columns less than all others.
    Older,
}

impl Version {
    fn schema(self) -> u32 {
        match self {
            Self::Newer => SCHEMA_VERSION + 1,
            Self::Older => SCHEMA_VERSION - 1,
        }
    }

    fn key(self) -> SigningKey {
        SigningKey::from_bytes(&match self {
            Self::Newer => [0xee; 32],
            Self::Older => [0xed; 32],
        })
    }
}

/// What a device of another version pushes.
pub struct Push {
    /// In whose session.
    pub token: String,
    /// What it asks.
    pub request: HttpRequest,
    version: Version,
    patient: DocumentId,
    /// What the server had of the patient, but for what the device writes.
    before: Option<Vec<String>>,
}

impl Push {
    /// What the device would send after it wrote to one of the patients of the beginning. `None` if that is there already.
    pub fn new(server: &mut TestServer, version: Version, pick: u32) -> Result<Option<Self>, StoreError> {
        let dice = Dice::new(pick.into());
        let table = Schema::hospital().expect("patients").id;
        let patient = DocumentId::main(table, hospital::id(0x81 + dice.below(6) as u128));
        let key = version.key();
        let public_key = key.verifying_key().to_bytes();
        let token = server.sign_in("nora", &public_key)?.token;
        let device = DeviceId::of_public_key(&public_key);
        let number = dice.below(50) as i64;
        let written = write(server, patient, &Actor::new(device, pick), |library| match version {
            Version::Newer => library.put(ROOT, COLUMN, number),
            Version::Older => write_phone(library, &number.to_string()),
        })?;
        let Some((bytes, hash)) = written else { return Ok(None) };
        let chance = Chance::new(u64::from(pick) << 8);
        let mut id = [0; 16];
        chance.fill(&mut id);
        let body = Body {
            id: TransactionId(uuid::Builder::from_random_bytes(id).into_uuid()),
            schema_version: version.schema(),
            user: UserId(hospital::id(0x10).0),
            device,
            time: server.clock.now(),
            offline: false,
            command: "measure".to_owned(),
            first: None,
            changes: vec![ChangeName {
                document: patient,
                hash,
            }],
        };
        let transaction = Transaction::sign(&body, vec![bytes], &key);
        let request = HttpRequest {
            method: Method::Post,
            path: format!("/v{}/push", protocol::PROTOCOL_VERSION),
            body: protocol::encode(&PushRequest {
                transactions: vec![transaction],
            }),
            kind: RequestKind::Push(vec![body.id]),
        };
        Ok(Some(Self {
            before: unwritten(server, version, patient)?,
            token,
            request,
            version,
            patient,
        }))
    }

    /// The server takes it, if the maker's role allows it, and has of the patient what it had, but for what was written.
    pub fn check(&self, server: &TestServer, answer: &HttpResponse) -> Result<(), Violation> {
        let answer: PushResponse = protocol::decode(&answer.body).map_err(Violation::engine)?;
        let fits = |outcome: &PushOutcome| match outcome {
            PushOutcome::Accepted { .. } => true,
            PushOutcome::Rejected { code, .. } => code == "not_allowed",
            _ => false,
        };
        if !answer.outcomes.iter().all(fits) {
            let (version, outcomes) = (self.version, &answer.outcomes);
            return Err(Violation::new(format!(
                "the server refuses a device: {version:?}, {outcomes:?}"
            )));
        }
        let after = unwritten(server, self.version, self.patient).map_err(Violation::engine)?;
        // Who writes to a deleted row brings it back.
        if self.before.is_some() && after != self.before {
            return Err(Violation::new(format!(
                "a device took away what it does not know: {:?}, {:?} until then, {after:?}",
                self.version, self.before
            )));
        }
        Ok(())
    }
}

/// What the server has of a patient and a device of this version does not write: the table's row, and the unknown column.
/// `None` if the row is deleted.
fn unwritten(server: &TestServer, version: Version, patient: DocumentId) -> Result<Option<Vec<String>>, StoreError> {
    let id = format!("id={} ", patient.row);
    let dump = server.dump()?;
    let mut rows = dump.get("patients").into_iter().flatten();
    let Some(row) = rows.find(|row| row.starts_with(&id)) else {
        return Ok(None);
    };
    let mut written = vec!["updated_at="];
    let mut all = Vec::new();
    match version {
        Version::Newer => {}
        Version::Older => {
            written.push("phone=");
            all.extend(server.unknown_column(patient, COLUMN)?);
        }
    }
    let kept = row
        .split(' ')
        .filter(|cell| !written.iter().any(|name| cell.starts_with(name)));
    all.extend(kept.map(str::to_owned));
    Ok(Some(all))
}

/// A change made by Automerge's own library over the document's history, unless it changes nothing.
fn write(
    server: &TestServer,
    document: DocumentId,
    actor: &Actor,
    put: impl FnOnce(&mut AutoCommit) -> Result<(), automerge::AutomergeError>,
) -> Result<Option<(Vec<u8>, ChangeHash)>, StoreError> {
    let mut library = library(server, document)?;
    library.set_actor(ActorId::from(actor.as_bytes()));
    put(&mut library).map_err(|e| failed(e.to_string()))?;
    library.commit();
    let change = library.get_last_local_change();
    Ok(change.map(|change| (change.raw_bytes().to_vec(), ChangeHash(change.hash().0))))
}

/// A phone number that is shown already is not written: of values that were set at the same time the library would only take
/// the others away, as no version of ours does.
fn write_phone(library: &mut AutoCommit, phone: &str) -> Result<(), automerge::AutomergeError> {
    let shown = library.get(ROOT, "phone")?;
    if shown.is_some_and(|(shown, _)| shown.as_str() == Some(phone)) {
        return Ok(());
    }
    library.put(ROOT, "phone", phone)
}

fn failed(error: String) -> StoreError {
    StoreError::Corrupt(error)
}

/// A document as Automerge's own library has it.
fn library(server: &TestServer, document: DocumentId) -> Result<AutoCommit, StoreError> {
    let changes = history(server, document)?;
    let mut library = Automerge::new();
    let changes = changes.into_iter().map(AutomergeChange::from_bytes);
    let changes: Vec<_> = changes
        .collect::<Result<_, _>>()
        .map_err(|e| failed(format!("{e:?}")))?;
    library.apply_changes(changes).map_err(|e| failed(e.to_string()))?;
    AutoCommit::load(&library.save()).map_err(|e| failed(e.to_string()))
}

/// What the column that only the newer device knows must be by Automerge's own library, and what the server's document has.
pub fn column(server: &TestServer, patient: u128) -> Result<(BTreeSet<String>, BTreeSet<String>), StoreError> {
    let document = DocumentId::main(Schema::hospital().expect("patients").id, hospital::id(patient));
    let library = library(server, document)?;
    let expected = library.get_all(ROOT, COLUMN).map_err(|e| failed(e.to_string()))?;
    let expected = expected.into_iter().filter_map(|(value, _)| value.as_i64());
    Ok((
        expected.map(|value| value.to_string()).collect(),
        server.unknown_column(document, COLUMN)?,
    ))
}

/// A document's changes in stream order.
fn history(server: &TestServer, document: DocumentId) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut changes = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in server.log()? {
        let opened = entry
            .transaction
            .open()
            .map_err(|e| StoreError::Corrupt(e.to_string()))?;
        for (name, bytes) in opened.body.changes.iter().zip(&entry.transaction.changes) {
            if let Some(bytes) = bytes
                && name.document == document
                && seen.insert(name.hash)
            {
                changes.push(bytes.to_vec());
            }
        }
    }
    Ok(changes)
}
