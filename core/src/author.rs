//! Makes a transaction from what a command writes.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;

use crate::{
    document::{Actor, Document, DocumentId, Facet, FoldError, write::Writer},
    ids::{DeviceId, Timestamp, TransactionId, UserId},
    ingest::{Needs, RowKey, WorkingSet, in_facet},
    row::{RowAction, RowWrite},
    schema::{SCHEMA_VERSION, Schema, Table},
    transaction::{Body, ChangeName, Opened, Transaction},
};

/// Who makes transactions here.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The signed-in user.
    pub user: UserId,
    /// The device's key.
    pub key: SigningKey,
    /// The store's actor since it was opened.
    pub actor: Actor,
}

impl Identity {
    /// The device that the key belongs to.
    pub fn device(&self) -> DeviceId {
        DeviceId::of_public_key(&self.key.verifying_key().to_bytes())
    }
}

/// What the transaction says of itself.
#[derive(Clone, Debug)]
pub struct Header {
    /// A new UUID v7.
    pub id: TransactionId,
    /// What the command was first made into, if it is made again.
    pub first: Option<TransactionId>,
    /// The device's time.
    pub time: Timestamp,
    /// There is no connection.
    pub offline: bool,
    /// The command's name.
    pub command: String,
    /// 16 bytes from a secure source of randomness: they go into changes of restricted columns.
    pub entropy: [u8; 16],
}

/// Why no transaction could be made.
#[derive(Debug, Clone)]
pub enum AuthorError {
    /// Load these and call again.
    Needs(Needs),
    /// A document here cannot be written to.
    Fold(FoldError),
    /// There is nothing to change.
    Nothing,
}

/// Makes and signs the transaction. Changes nothing: give it to `ingest`.
pub fn author(
    set: &WorkingSet,
    writes: &[RowWrite],
    header: Header,
    identity: &Identity,
) -> Result<(Transaction, Opened), AuthorError> {
    let parts: Vec<(DocumentId, RowAction)> = writes.iter().flat_map(split).collect();
    let mut needs = Needs::default();
    let written = parts.iter().map(|(id, _)| *id);
    needs.documents.extend(written.filter(|id| set.document(id).is_none()));
    if !needs.documents.is_empty() {
        return Err(AuthorError::Needs(needs));
    }
    let salt = uuid::Uuid::from_bytes(header.entropy).simple().to_string();
    let mut documents: BTreeMap<DocumentId, Document> = BTreeMap::new();
    let (mut names, mut bytes, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    for (id, action) in parts {
        let table = Schema::hospital().by_id(id.table);
        let loaded = set.document(&id).expect("BUG: just checked");
        let document = documents.entry(id).or_insert_with(|| loaded.clone());
        let salt = (id.facet == Facet::Restricted).then_some(salt.as_str());
        let by = Writer {
            actor: &identity.actor,
            time: header.time,
            salt,
        };
        for change in document.write(id, table, &action, by).map_err(AuthorError::Fold)? {
            names.push(ChangeName {
                document: id,
                hash: change.hash,
            });
            bytes.push(change.bytes);
            decoded.push(Some(change.decoded));
        }
    }
    if names.is_empty() {
        return Err(AuthorError::Nothing);
    }
    let body = Body {
        id: header.id,
        schema_version: SCHEMA_VERSION,
        user: identity.user,
        device: identity.device(),
        time: header.time,
        offline: header.offline,
        command: header.command,
        changes: names,
        first: header.first,
    };
    let transaction = Transaction::sign(&body, bytes, &identity.key);
    Ok((transaction, Opened { body, changes: decoded }))
}

/// A write to a row as writes to its documents.
fn split(write: &RowWrite) -> Vec<(DocumentId, RowAction)> {
    let table = Schema::hospital().by_id(write.table);
    let key = RowKey {
        table: write.table,
        row: write.row,
    };
    crate::ingest::facets(table, key)
        .filter_map(|id| part(table, id.facet, &write.action).map(|action| (id, action)))
        .collect()
}

fn part(table: &Table, facet: Facet, action: &RowAction) -> Option<RowAction> {
    let holds = |column| in_facet(table.by_id(column), facet);
    match action {
        RowAction::Delete => (facet == Facet::Main).then_some(RowAction::Delete),
        RowAction::Create(values) => {
            let mine: Vec<_> = values.iter().filter(|(c, _)| holds(*c)).cloned().collect();
            let says = facet == Facet::Main || mine.iter().any(|(_, v)| !v.is_null());
            says.then_some(RowAction::Create(mine))
        }
        RowAction::Edit(edits) => {
            let mine: Vec<_> = edits.iter().filter(|e| holds(e.column)).cloned().collect();
            (!mine.is_empty()).then_some(RowAction::Edit(mine))
        }
    }
}
