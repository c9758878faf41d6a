//! Somebody who signs in well and then sends what no device would.

use holdfast_core::{
    document::{Document, DocumentId, Facet},
    ids::{ChangeHash, UserId},
    ingest::WorkingSet,
    protocol::{PushOutcome, PushRequest, PushResponse, SignInRequest, SignInResponse, decode, encode},
    row::RowWrite,
    transaction::{Body, Transaction},
};
use holdfast_tests::{
    hospital::{Hospital, PASSWORD},
    http::{Answer, Client, Question},
    maker::Maker,
};
use sha2::{Digest, Sha256};

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing into a text cannot fail");
        text
    })
}

/// A signed-in forger.
pub struct Forger {
    /// Signs.
    pub maker: Maker,
    address: String,
    token: String,
    http: Client,
}

impl Forger {
    /// Signs the nurse in with a key of its own.
    pub fn sign_in(hospital: &Hospital) -> Self {
        let (mut maker, http) = (Maker::new(666), Client::default());
        let key = maker.identity().key.verifying_key().to_bytes();
        let request = SignInRequest {
            username: "nora".to_owned(),
            password: PASSWORD.to_owned(),
            device_key: hex(&key),
            device_name: "forger".to_owned(),
        };
        let question = Question {
            body: Some(serde_json::to_vec(&request).expect("JSON")),
            content_type: Some("application/json"),
            ..Question::default()
        };
        let address = hospital.server.address();
        let answer = http
            .ask(&format!("{address}/v1/session"), &question)
            .expect("an answer");
        let response: SignInResponse = serde_json::from_slice(&answer.body).expect("a session");
        maker.is(UserId(response.user_id.0));
        Self {
            maker,
            address,
            token: response.token,
            http,
        }
    }

    /// A transaction that makes new rows.
    pub fn make(&mut self, writes: &[RowWrite]) -> Transaction {
        let mut nothing = WorkingSet::default();
        for write in writes {
            for facet in [Facet::Main, Facet::Restricted] {
                let id = DocumentId {
                    facet,
                    ..DocumentId::main(write.table, write.row)
                };
                nothing.provide_document(id, Document::default());
            }
        }
        self.maker.make_on(&nothing, writes).transaction
    }

    /// Pushes transactions.
    pub fn push(&self, transactions: Vec<Transaction>) -> Vec<PushOutcome> {
        let answer = self.post(encode(&PushRequest { transactions }), None);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        decode::<PushResponse>(&answer.body)
            .expect("an answer to a push")
            .outcomes
    }

    /// Sends any bytes to `/v1/push`.
    pub fn post(&self, body: Vec<u8>, encoding: Option<&str>) -> Answer {
        let question = Question {
            body: Some(body),
            token: Some(&self.token),
            encoding: Some(encoding.unwrap_or("identity")),
            ..Question::default()
        };
        let answer = self.http.ask(&format!("{}/v1/push", self.address), &question);
        answer.expect("the server answers")
    }

    /// Signs a body again under another name, after changing it.
    pub fn sign_again(&mut self, transaction: &Transaction, change: impl FnOnce(&mut Body)) -> Transaction {
        let mut body = transaction.body().expect("a body");
        body.id.0 = self.maker.row().0;
        change(&mut body);
        let changes = transaction.changes.iter().flatten().map(|c| c.to_vec()).collect();
        Transaction::sign(&body, changes, &self.maker.identity().key)
    }

    /// Replaces a word inside the first change with another of the same length, and names the change by its new hash.
    pub fn rewrite(&mut self, transaction: &Transaction, word: &str, by: &str) -> Transaction {
        let mut body = transaction.body().expect("a body");
        body.id.0 = self.maker.row().0;
        let mut change = transaction.changes[0].as_ref().expect("a change").to_vec();
        let at = change.windows(word.len()).position(|w| w == word.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{word} is not in the change"));
        change[at..at + word.len()].copy_from_slice(by.as_bytes());
        // Automerge's container: 4 magic bytes, 4 of the hash, then what is hashed.
        let hash: [u8; 32] = Sha256::digest(&change[8..]).into();
        change[4..8].copy_from_slice(&hash[..4]);
        body.changes[0].hash = ChangeHash(hash);
        Transaction::sign(&body, vec![change], &self.maker.identity().key)
    }
}
