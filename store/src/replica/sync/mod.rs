//! Sync as requests and responses: push what waits, then pull what is new; a new replica first copies the hospital.
//!
//! ```text
//! wake() ──► next_request() ──► Some(request) ──► HTTP ──► take_response() or take_failure() ─┐
//!                 ▲                                                                           │
//!                 └───────────────────────────────────────────────────────────────────────────┘  until None
//! ```

use std::collections::BTreeSet;

use holdfast_core::ids::{Seq, TransactionId};

use super::{Replica, ReplicaError};
use crate::StoreError;

/// Something to ask the server. Add the token ([`Replica::token`]).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Path and query, such as `/v1/pull?after=0&limit=1000`.
    pub path: String,
    /// Empty for GET.
    pub body: Vec<u8>,
    /// Give it back with the response.
    pub kind: RequestKind,
}

/// An HTTP method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
}

impl Method {
    /// As HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestKind {
    /// These transactions were pushed.
    Push(Vec<TransactionId>),
    /// What comes after this place.
    Pull(Seq),
    /// A page of the snapshot, after this token.
    Snapshot(Option<String>),
}

/// What a response changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// Tables whose rows changed: live queries renew themselves.
    pub tables: BTreeSet<&'static str>,
}

impl Replica {
    /// There may be something new: begins a round, at the start, when the network is back, when the server pokes.
    pub fn wake(&mut self) {
        todo!()
    }

    /// What to ask the server next; `None` when all is exchanged, after a failure, or when nobody is signed in.
    pub fn next_request(&mut self) -> Result<Option<HttpRequest>, StoreError> {
        todo!()
    }

    /// Takes the server's answer in. An answer that makes no sense or tells of an error ends the round and shows in
    /// [`Replica::status`]; an error of this function is one of the store.
    pub fn take_response(&mut self, kind: &RequestKind, status: u16, body: &[u8]) -> Result<Changed, ReplicaError> {
        todo!("{kind:?} {status} {body:?}")
    }

    /// No answer came. Ends the round.
    pub fn take_failure(&mut self, problem: &str) {
        todo!("{problem}")
    }
}
