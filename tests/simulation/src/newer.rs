//! A device of a newer version: it writes a column that neither the server nor the other devices know.

use std::collections::BTreeSet;

use automerge::{ActorId, AutoCommit, Automerge, Change as AutomergeChange, ROOT, ReadDoc, transaction::Transactable};
use ed25519_dalek::SigningKey;
use holdfast_core::{
    document::{Actor, DocumentId},
    ids::{ChangeHash, DeviceId, TransactionId, UserId},
    protocol::{self, PushRequest},
    schema::{SCHEMA_VERSION, Schema},
    transaction::{Body, ChangeName, Transaction},
};
use holdfast_store::{
    StoreError,
    replica::{HttpRequest, Method, RequestKind},
    testing::{Chance, TestServer},
};

use crate::{dice::Dice, hospital};

/// The device's key. It has no store: it knows what the server knows.
const KEY: [u8; 32] = [0xee; 32];

/// The patients to whom it writes.
pub const PATIENTS: std::ops::Range<u128> = 0x81..0x87;

/// The column.
pub const COLUMN: &str = "shoe_size";

/// Makes the request that a newer device would send after it wrote to one of the patients of the beginning.
pub fn request(server: &mut TestServer, pick: u32) -> Result<(String, HttpRequest), StoreError> {
    let dice = Dice::new(pick.into());
    let table = Schema::hospital().expect("patients").id;
    let document = DocumentId::main(table, hospital::id(0x81 + dice.below(6) as u128));
    let key = SigningKey::from_bytes(&KEY);
    let public_key = key.verifying_key().to_bytes();
    let token = server.sign_in("nora", &public_key)?.token;
    let device = DeviceId::of_public_key(&public_key);
    let (bytes, hash) = write(server, document, &Actor::new(device, pick), dice.below(50) as i64)?;
    let chance = Chance::new(u64::from(pick) << 8);
    let mut id = [0; 16];
    chance.fill(&mut id);
    let body = Body {
        id: TransactionId(uuid::Builder::from_random_bytes(id).into_uuid()),
        schema_version: SCHEMA_VERSION + 1,
        user: UserId(hospital::id(0x10).0),
        device,
        time: server.clock.now(),
        offline: false,
        command: "measureFoot".to_owned(),
        changes: vec![ChangeName { document, hash }],
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
    Ok((token, request))
}

/// The change that sets the column, made by Automerge's own library over the document's history.
fn write(
    server: &TestServer,
    document: DocumentId,
    actor: &Actor,
    size: i64,
) -> Result<(Vec<u8>, ChangeHash), StoreError> {
    let mut library = library(server, document)?;
    library.set_actor(ActorId::from(actor.as_bytes()));
    library.put(ROOT, COLUMN, size).map_err(|e| failed(e.to_string()))?;
    library.commit();
    let change = library
        .get_last_local_change()
        .ok_or_else(|| failed("no change".to_owned()))?;
    Ok((change.raw_bytes().to_vec(), ChangeHash(change.hash().0)))
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

/// What a patient's unknown column must be by Automerge's own library, and what the server's document has.
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
