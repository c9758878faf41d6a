//! The class that the worker holds one of.

use std::collections::BTreeSet;

use holdfast_core::{command::Command, ids::TransactionId, protocol::SignInResponse};
use holdfast_store::{Replica, replica::RequestKind};
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
}

/// Every method throws the port's `EngineError`.
#[wasm_bindgen]
impl Engine {
    /// Opens the replica, or makes it. Once per worker.
    pub async fn open() -> Result<Engine> {
        let connection = storage::open().await?;
        let replica = Replica::open(connection, host(), None)?;
        Ok(Self { replica, asked: None })
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

    /// Leaves the session. Returns the tables that are empty now.
    #[wasm_bindgen(js_name = endSession)]
    pub fn end_session(&mut self, discard: bool) -> Result<Vec<String>> {
        let tables = self.replica.end_session(discard)?;
        self.asked = None;
        Ok(names(&tables))
    }

    /// Carries out a `Command` of the port, given as JSON. It is on disk when this returns.
    pub fn run(&mut self, command: &str) -> Result<Done> {
        let command: Command =
            serde_json::from_str(command).map_err(|error| EngineError::malformed("The command", &error))?;
        let receipt = self.replica.run(&command)?;
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

    /// Drops a refused transaction.
    pub fn discard(&mut self, transaction: &str) -> Result<()> {
        let id: TransactionId = serde_json::from_value(Json::from(transaction))
            .map_err(|error| EngineError::malformed("The transaction's id", &error))?;
        Ok(self.replica.discard(id)?)
    }

    /// There may be something new: begins a round of sync.
    pub fn wake(&mut self) {
        self.replica.wake();
    }

    /// What to ask the server next; nothing when all is exchanged.
    #[wasm_bindgen(js_name = nextRequest)]
    pub fn next_request(&mut self) -> Result<Option<HttpRequest>> {
        Ok(self.replica.next_request()?.map(|request| {
            self.asked = Some(request.kind);
            HttpRequest {
                method: request.method.as_str().to_owned(),
                path: request.path,
                body: request.body,
            }
        }))
    }

    /// Takes the answer to the last request. Returns the tables whose rows changed.
    #[wasm_bindgen(js_name = takeResponse)]
    pub fn take_response(&mut self, status: u16, body: &[u8]) -> Result<Vec<String>> {
        // A sign-in or sign-out came between: the answer is nobody's.
        let Some(kind) = self.asked.take() else {
            return Ok(Vec::new());
        };
        Ok(names(&self.replica.take_response(&kind, status, body)?.tables))
    }

    /// No answer came, or there is no network.
    #[wasm_bindgen(js_name = takeFailure)]
    pub fn take_failure(&mut self, problem: &str) {
        self.asked = None;
        self.replica.take_failure(problem);
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("BUG: what the port has is JSON")
}

fn names(tables: &BTreeSet<&'static str>) -> Vec<String> {
    tables.iter().map(|&table| table.to_owned()).collect()
}
