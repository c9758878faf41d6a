//! Answers another program's questions, one line of JSON each:
//!
//! ```text
//!  { fold:   { table, changes: [hex] } }               ► { state } or { unreadable }   folded as they come
//!  { submit: { table, row, part, changes: [hex] } }    ► { state } or { code, reason } judged by the store
//!  { export: folder }                                  ► { files }
//! ```

use std::path::Path;

use holdfast_core::{
    document::{DecodedChange, Document, DocumentId, Facet, Place, fold::Arrival},
    ids::{RowId, TransactionId},
    protocol::PushOutcome,
    schema::{SCHEMA_VERSION, Schema, Table},
    transaction::{Body, ChangeName, Transaction},
};
use holdfast_server::{
    export::{Selection, export},
    store::Submission,
};
use serde_json::{Value as Json, json};

use super::state::state;
use crate::{
    dice::Dice,
    maker::{Maker, NOON},
    stand::Stand,
};

/// Where another program's changes are taken in.
pub struct Desk<'a> {
    stand: &'a Stand,
    maker: &'a Maker,
    dice: Dice,
}

impl<'a> Desk<'a> {
    /// Takes changes in for a device.
    pub fn new(stand: &'a Stand, maker: &'a Maker) -> Self {
        Self {
            stand,
            maker,
            dice: Dice::new(77),
        }
    }

    /// Answers one question.
    pub async fn answer(&mut self, question: &Json) -> Json {
        if let Some(folder) = question["export"].as_str() {
            let written = export(&self.stand.store, Selection::All, Path::new(folder), false, |_| ()).await;
            return json!({ "files": written.expect("the export goes well").files });
        }
        let fold = &question["fold"];
        if fold.is_object() {
            return folded(table(fold), &changes(fold)).unwrap_or_else(|problem| json!({ "unreadable": problem }));
        }
        self.submit(&question["submit"]).await
    }

    async fn submit(&mut self, question: &Json) -> Json {
        let id = DocumentId {
            table: table(question).id,
            row: RowId(text(question, "row").parse().expect("a UUID")),
            facet: match text(question, "part") {
                "main" => Facet::Main,
                _ => Facet::Restricted,
            },
        };
        let changes = changes(question);
        let names: Result<Vec<_>, _> = changes.iter().map(|bytes| DecodedChange::from_bytes(bytes)).collect();
        let names = match names {
            Ok(decoded) => decoded
                .iter()
                .map(|d| ChangeName {
                    document: id,
                    hash: d.hash,
                })
                .collect(),
            Err(problem) => return json!({ "code": "malformed", "reason": problem.to_string() }),
        };
        let identity = self.maker.identity();
        let body = Body {
            id: TransactionId(self.dice.uuid()),
            schema_version: SCHEMA_VERSION,
            user: identity.user,
            device: identity.device(),
            time: NOON,
            offline: true,
            command: "editRow".to_owned(),
            first: None,
            changes: names,
        };
        let transaction = Transaction::sign(&body, changes, &identity.key);
        let opened = transaction.open().expect("its changes were read already");
        let submission = Submission {
            transaction,
            opened,
            role: self.maker.role,
            import: false,
            objection: None,
        };
        match self.stand.accept(vec![submission]).await.as_slice() {
            [PushOutcome::Accepted { .. }] => json!({ "state": self.stored(id).await }),
            [PushOutcome::Rejected { code, reason, .. }] => json!({ "code": code, "reason": reason }),
            other => json!({ "code": "neither taken nor refused", "reason": format!("{other:?}") }),
        }
    }

    /// What the store holds of a document.
    pub async fn stored(&self, id: DocumentId) -> Json {
        let set = self.stand.store.documents([id].into()).await;
        let set = set.expect("the store loads documents");
        let document = set.document(&id).expect("it was asked for");
        state(Schema::hospital().by_id(id.table), document)
    }
}

fn folded(table: &Table, changes: &[Vec<u8>]) -> Result<Json, String> {
    let mut document = Document::default();
    let arrival = Arrival {
        place: Place::Pending,
        time: NOON,
    };
    for bytes in changes {
        let decoded = DecodedChange::from_bytes(bytes).map_err(|problem| problem.to_string())?;
        let folded = document.fold(table, &decoded, arrival);
        folded.map_err(|problem| problem.to_string())?;
    }
    let stored = Document::from_bytes(&document.to_bytes()).expect("a document reads its own bytes");
    assert_eq!(stored, document);
    Ok(json!({ "state": state(table, &document) }))
}

fn table(question: &Json) -> &'static Table {
    Schema::hospital().expect(text(question, "table"))
}

fn text<'a>(question: &'a Json, field: &str) -> &'a str {
    question[field].as_str().unwrap_or_else(|| panic!("{field} is missing"))
}

fn changes(question: &Json) -> Vec<Vec<u8>> {
    let changes = question["changes"].as_array().expect("changes are missing");
    changes
        .iter()
        .map(|change| {
            let digits = change.as_str().expect("a change is hexadecimal");
            let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("a change is hexadecimal");
            (0..digits.len()).step_by(2).map(byte).collect()
        })
        .collect()
}
