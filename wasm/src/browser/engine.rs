//! The class that the worker holds one of.

use std::collections::BTreeSet;

use holdfast_core::{ids::TransactionId, protocol::SignInResponse};
use holdfast_store::{
    Replica,
    replica::{self, HttpResponse, Order, RequestKind},
};
use serde_json::Value as Json;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{host::host, storage};
use crate::error::EngineError;

type Result<T> = std::result::Result<T, EngineError>;

/// The device's replica, open.
#[wasm_bindgen]
pub struct Engine {
    replica: Replica,
    /// The request that no answer has come to.
    asked: Option<RequestKind>,
}

/// What a command did.
#[wasm_bindgen(getter_with_clone)]
pub struct Done {
    /// `Receipt` of the page's port, as JSON.
    #[wasm_bindgen(readonly)]
    pub receipt: String,
    /// The tables whose rows changed.
    #[wasm_bindgen(readonly)]
    pub tables: Vec<String>,
}

/// Something to ask the server.
#[wasm_bindgen(getter_with_clone)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    #[wasm_bindgen(readonly)]
    pub method: String,
    /// Path and query.
    #[wasm_bindgen(readonly)]
    pub path: String,
    /// Empty for `GET`.
    #[wasm_bindgen(readonly)]
    pub body: Vec<u8>,
    /// False for a request that must not give the token away.
    #[wasm_bindgen(readonly, js_name = needsToken)]
    pub needs_token: bool,
}

impl From<replica::HttpRequest> for HttpRequest {
    fn from(request: replica::HttpRequest) -> Self {
        Self {
            needs_token: request.needs_token(),
            method: request.method.as_str().to_owned(),
            path: request.path,
            body: request.body,
        }
    }
}

/// Every method throws the port's `EngineError`.
#[wasm_bindgen]
impl Engine {
    /// Opens the replica in a file of the pool, or makes it. `key` is the 32 bytes that it is encrypted with, nothing for a
    /// store of an earlier version. `free` closes it.
    pub async fn open(file: String, key: Option<Vec<u8>>) -> Result<Engine> {
        let connection = storage::open(&file).await?;
        let replica = Replica::open(connection, host(), key.as_deref())?;
        Ok(Self { replica, asked: None })
    }

    /// Encrypts a store of an earlier version, which was plain.
    pub fn encrypt(&self, key: &[u8]) -> Result<()> {
        Ok(self.replica.encrypt(key)?)
    }

    /// `Status` of the port, as JSON.
    pub fn status(&self) -> Result<String> {
        Ok(json(&self.replica.status()?))
    }

    /// The device's public key in hexadecimal digits.
    #[wasm_bindgen(js_name = deviceKey)]
    pub fn device_key(&self) -> String {
        self.replica.device_key()
    }

    /// What goes into `Authorization: Bearer …`, while somebody is signed in.
    pub fn token(&self) -> Option<String> {
        self.replica.token().map(ToOwned::to_owned)
    }

    /// Takes the server's answer to a sign-in. Returns the port's `Session`, as JSON.
    #[wasm_bindgen(js_name = beginSession)]
    pub fn begin_session(&mut self, answer: &str, server: &str) -> Result<String> {
        let answer: SignInResponse =
            serde_json::from_str(answer).map_err(|error| EngineError::malformed("The server's answer", &error))?;
        self.asked = None;
        Ok(json(&self.replica.begin_session(&answer, server)?))
    }

    /// Leaves the session; what waits stays for the next sign-in.
    #[wasm_bindgen(js_name = signOut)]
    pub fn sign_out(&mut self) -> Result<()> {
        self.asked = None;
        Ok(self.replica.sign_out()?)
    }

    /// Carries out an `Order` of the port, given as JSON, unless that was done before. It is on disk when this returns.
    pub fn run(&mut self, order: &str) -> Result<Done> {
        let order: Order =
            serde_json::from_str(order).map_err(|error| EngineError::malformed("The command", &error))?;
        let receipt = self.replica.run_once(&order)?;
        Ok(Done {
            receipt: json(&receipt),
            tables: names(&receipt.changed_tables),
        })
    }

    /// Runs one read-only statement. `parameters` is a JSON array; the rows are one too.
    pub fn query(&mut self, sql: &str, parameters: &str) -> Result<String> {
        let parameters: Vec<Json> =
            serde_json::from_str(parameters).map_err(|error| EngineError::malformed("The parameters", &error))?;
        Ok(json(&self.replica.query(sql, &parameters)?))
    }

    /// The tables that a statement reads.
    #[wasm_bindgen(js_name = tablesOf)]
    pub fn tables_of(&mut self, sql: &str) -> Result<Vec<String>> {
        Ok(names(&self.replica.tables_of(sql)?))
    }

    /// `Conflict[]` of the port, as JSON.
    pub fn conflicts(&self) -> Result<String> {
        Ok(json(&self.replica.conflicts()?))
    }

    /// `OutboxEntry[]` of the port, as JSON.
    pub fn outbox(&self) -> Result<String> {
        Ok(json(&self.replica.outbox()?))
    }

    /// `Durability` of the port, as JSON; null if the transaction is not known.
    pub fn durability(&self, transaction: &str) -> Result<String> {
        Ok(json(&self.replica.durability(transaction_id(transaction)?)?))
    }

    /// Drops a refused transaction.
    pub fn discard(&mut self, transaction: &str) -> Result<()> {
        Ok(self.replica.discard(transaction_id(transaction)?)?)
    }

    /// There may be something new: begins a round of sync.
    pub fn wake(&mut self) {
        self.replica.wake();
    }

    /// What to ask the server next; nothing when all is exchanged.
    #[wasm_bindgen(js_name = nextRequest)]
    pub fn next_request(&mut self) -> Result<Option<HttpRequest>> {
        let request = self.replica.next_request()?;
        self.asked = request.as_ref().map(|request| request.kind.clone());
        Ok(request.map(HttpRequest::from))
    }

    /// What `nextRequest` will most likely say once this answer to the last request is taken: it may be sent before that, and
    /// its answer is good if it is asked for then.
    #[wasm_bindgen(js_name = requestAhead)]
    pub fn request_ahead(&self, status: u16, hospital: Option<String>, body: Vec<u8>) -> Result<Option<HttpRequest>> {
        let Some(kind) = &self.asked else { return Ok(None) };
        let response = HttpResponse { status, hospital, body };
        Ok(self.replica.request_ahead(kind, &response)?.map(HttpRequest::from))
    }

    /// Takes the answer to the last request; `hospital` is its header `Holdfast-Hospital`. Returns the tables whose rows
    /// changed.
    #[wasm_bindgen(js_name = takeResponse)]
    pub fn take_response(&mut self, status: u16, hospital: Option<String>, body: Vec<u8>) -> Result<Vec<String>> {
        // A sign-in or sign-out came between: the answer is nobody's.
        let Some(kind) = self.asked.take() else {
            return Ok(Vec::new());
        };
        let response = HttpResponse { status, hospital, body };
        Ok(names(&self.replica.take_response(&kind, &response)?.tables))
    }

    /// True if an answer with this header `Holdfast-Hospital` is the replica's hospital's. For the live channel.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen has no Option<&str>")]
    pub fn recognises(&mut self, hospital: Option<String>) -> Result<bool> {
        Ok(self.replica.recognises(hospital.as_deref())?)
    }

    /// No answer came, or there is no network.
    #[wasm_bindgen(js_name = takeFailure)]
    pub fn take_failure(&mut self, problem: &str) {
        self.asked = None;
        self.replica.take_failure(problem);
    }
}

/// The files of the pool that hold something.
#[wasm_bindgen(js_name = storedFiles)]
pub async fn stored_files() -> Result<Vec<String>> {
    storage::files().await
}

/// Removes a store that is not open, with what SQLite keeps beside it.
#[wasm_bindgen(js_name = removeStore)]
pub async fn remove_store(file: String) -> Result<()> {
    storage::remove(&file).await
}

/// Lets go of the pool's files, so that another tab can open them. Nothing may be open.
#[wasm_bindgen(js_name = releaseFiles)]
pub async fn release_files() -> Result<()> {
    storage::release().await
}

fn transaction_id(text: &str) -> Result<TransactionId> {
    serde_json::from_value(Json::from(text)).map_err(|error| EngineError::malformed("The transaction's id", &error))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("BUG: what the port has is JSON")
}

fn names(tables: &BTreeSet<&'static str>) -> Vec<String> {
    tables.iter().map(|&table| table.to_owned()).collect()
}
