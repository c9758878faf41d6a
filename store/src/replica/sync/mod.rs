//! Sync as requests and responses: push what waits, then pull what is new; a new replica first copies the hospital.
//!
//! ```text
//! wake() ──► next_request() ──► Some(request) ──► HTTP ──► take_response() or take_failure() ─┐
//!                 ▲                                                                           │
//!                 └───────────────────────────────────────────────────────────────────────────┘  until None
//! ```
//!
//! What was asked travels with the request ([`RequestKind`]); what came is judged against the store. So a response that
//! comes twice, late, or after a crash does no harm; one of another hospital is not taken ([`hospital`]).
//!
//! Of many pages the next one may be asked for before the last one is taken in ([`Replica::request_ahead`]), so that the server
//! reads one while this device writes the other.

mod ahead;
pub(super) mod hospital;
mod pull;
mod push;
mod recopy;
pub(super) mod relay;
mod round;
mod seen;
mod snapshot;
pub(super) mod sums;

use std::collections::BTreeSet;

use holdfast_core::{
    ids::{Seq, TransactionId},
    protocol::{self, ErrorResponse},
    transaction::Mark,
};
use rusqlite::Connection;

use hospital::Origin;
pub(super) use recopy::{copy_anew, has};
pub(super) use round::Round;

use super::{Replica, outbox};
use crate::{StoreError, meta};

/// What sync keeps in `sync_meta`.
pub(super) const META_KEYS: [&str; 10] = [
    "cursor",
    "mark",
    "recopy",
    "last_in_step",
    "snapshot_next",
    "snapshot_as_of",
    "snapshot_mark",
    seen::KEY,
    "snapshot_received",
    "snapshot_total",
];

/// To who opened the store without a word with the server.
const SIGN_IN_AGAIN: &str = "Sign in again, so that the server knows you. Your work is kept on this device until then.";

/// Something to ask the server. Add the token ([`Replica::token`]) if it [needs one](HttpRequest::needs_token).
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

impl HttpRequest {
    /// False for a request that must not give the token away.
    pub fn needs_token(&self) -> bool {
        self.kind != RequestKind::Identify
    }
}

/// What the server, or something in its place, answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The header `Holdfast-Hospital`: every answer of a server has it.
    pub hospital: Option<String>,
    /// The body, unpacked.
    pub body: Vec<u8>,
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
    /// What comes after this place in the history that has this mark there.
    Pull(Seq, Option<Mark>),
    /// A page of the snapshot, after this token.
    Snapshot(Option<String>),
    /// Which hospital answers.
    Identify,
}

/// What a response changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// Tables whose rows changed: live queries renew themselves.
    pub tables: BTreeSet<&'static str>,
}

/// A response was taken in, or it makes no sense: the text says why.
type Taken = Result<BTreeSet<&'static str>, String>;

impl Replica {
    /// There may be something new: begins a round, at the start, after a command, when the network is back, when the server
    /// pokes.
    pub fn wake(&mut self) {
        self.round.wake();
    }

    /// What to ask the server next; `None` when all is exchanged, after a failure, or when nobody is signed in.
    pub fn next_request(&mut self) -> Result<Option<HttpRequest>, StoreError> {
        if self.session.is_none() || !self.round.goes_on() {
            return Ok(None);
        }
        if hospital::is_elsewhere(&self.connection)? {
            return Ok(Some(hospital::request()));
        }
        if self.token().is_none() {
            self.round.sign_out(SIGN_IN_AGAIN.to_owned());
            return Ok(None);
        }
        let Some(cursor) = cursor(&self.connection)? else {
            return snapshot::request(&self.connection).map(Some);
        };
        let at_once = self.round.at_once.unwrap_or(push::MAX_TRANSACTIONS);
        let to_send = outbox::first_to_send(&self.connection, self.host.now(), at_once, push::MAX_BYTES)?;
        if broken!(OutboxFirst) {
            for sent in &to_send {
                let body = sent.transaction.body().map_err(StoreError::corrupt)?;
                outbox::remove(&self.connection, sent.n, &body)?;
            }
        }
        if !to_send.is_empty() {
            self.round.first_sent = outbox::give(&self.connection, &to_send)?;
            return Ok(Some(push::request(to_send)));
        }
        if recopy::is_under_way(&self.connection)? {
            return snapshot::request(&self.connection).map(Some);
        }
        if self.round.pull {
            let mark = mark(&self.connection)?;
            let place = relay::place(&self.connection)?;
            return Ok(Some(pull::request(cursor, mark, place)));
        }
        self.round.complete();
        Ok(None)
    }

    /// What [`Replica::next_request`] will most likely say once this answer is taken in: it may be sent before that. Its answer is
    /// good only if it is asked for then, by the same path; otherwise forget it. Nothing is stored.
    pub fn request_ahead(
        &self,
        kind: &RequestKind,
        response: &HttpResponse,
    ) -> Result<Option<HttpRequest>, StoreError> {
        // Another hospital is not given the token again.
        let own = match response.hospital.as_deref() {
            Some(named) => hospital::is_own(&self.connection, named)?,
            None => false,
        };
        if !own || self.session.is_none() {
            return Ok(None);
        }
        // A hub tells of its list with the last page, so that the place there is the same till then.
        Ok(ahead::after(kind, response, relay::place(&self.connection)?))
    }

    /// Takes the server's answer in. An answer that makes no sense, tells of an error or comes from another hospital ends the
    /// round and shows in [`Replica::status`]; an error of this function is one of the store.
    pub fn take_response(&mut self, kind: &RequestKind, response: &HttpResponse) -> Result<Changed, StoreError> {
        if self.session.is_none() {
            return Ok(Changed::default());
        }
        let (status, body) = (response.status, response.body.as_slice());
        let origin = self.origin(response.hospital.as_deref())?;
        let succeeded = (200..300).contains(&status);
        if origin == Origin::Other {
            return Ok(Changed::default());
        }
        if origin == Origin::Unnamed && (succeeded || *kind == RequestKind::Identify) {
            self.round.fail(hospital::NOBODY.to_owned());
            return Ok(Changed::default());
        }
        let taken = match kind {
            RequestKind::Identify => Ok(BTreeSet::new()),
            _ if !succeeded => return self.refused(kind, status, body),
            RequestKind::Push(ids) => self.take_push(ids, body)?,
            RequestKind::Pull(after, mark) => self.take_pull(*after, mark.as_ref(), body)?,
            RequestKind::Snapshot(after) => self.take_snapshot(after.as_deref(), body)?,
        };
        match taken {
            Ok(tables) => {
                self.round.answered();
                Ok(Changed { tables })
            }
            Err(problem) => {
                self.round.fail(problem);
                Ok(Changed::default())
            }
        }
    }

    /// No answer came. Ends the round.
    pub fn take_failure(&mut self, problem: &str) {
        self.round.fail(problem.to_owned());
    }

    fn refused(&mut self, kind: &RequestKind, status: u16, body: &[u8]) -> Result<Changed, StoreError> {
        let said: Option<ErrorResponse> = serde_json::from_slice(body).ok();
        let code = said.as_ref().map_or("", |error| &error.code).to_owned();
        let message = said.map_or_else(
            || format!("The server answered with status {status}. Work goes on; it is tried again."),
            |error| error.message,
        );
        if status == 401 {
            self.round.sign_out(message);
            return Ok(Changed::default());
        }
        // What was sent will never be taken: it must not keep back what is behind it.
        let (too_large, unreadable) = (status == 413, status == 400 && code == "malformed");
        if let (RequestKind::Push(ids), true) = (kind, too_large || unreadable) {
            let (code, reason) = if too_large {
                ("too_large", "It is too large to be sent.".to_owned())
            } else {
                ("malformed", message)
            };
            let tables = self.split_push(ids, code, &reason)?;
            self.round.answered();
            return Ok(Changed { tables });
        }
        if let (RequestKind::Pull(after, asked), 409, "diverged") = (kind, status, code.as_str()) {
            // Of a place where the replica is no longer it says nothing.
            if stands_at(&self.connection, *after, asked.as_ref())? {
                recopy::begin(&mut self.connection)?;
            }
            self.round.answered();
            return Ok(Changed::default());
        }
        // A page that the server does not know any more: the copy begins again.
        if matches!(kind, RequestKind::Snapshot(Some(_))) && matches!(status, 400 | 404 | 410) {
            recopy::forget_pages(&self.connection)?;
        }
        self.round.fail(message);
        Ok(Changed::default())
    }
}

/// The seq up to which everything is here; `None` before the first copy is complete.
pub(super) fn cursor(connection: &Connection) -> Result<Option<Seq>, StoreError> {
    Ok(meta::get::<i64>(connection, "cursor")?.map(|seq| Seq(seq as u64)))
}

/// The mark of the entry at the cursor, if it is known.
fn mark(connection: &Connection) -> Result<Option<Mark>, StoreError> {
    let mark: Option<String> = meta::get(connection, "mark")?;
    Ok(mark.filter(|_| !broken!(RestoreUnnoticed)).map(Mark))
}

/// True if everything up to this place is here, in the history that has this mark there: a server that was put back to a
/// backup gives the same places anew.
fn stands_at(connection: &Connection, place: Seq, asked: Option<&Mark>) -> Result<bool, StoreError> {
    Ok(cursor(connection)? == Some(place) && mark(connection)?.as_ref() == asked)
}

fn decode<'b, T: minicbor::Decode<'b, ()>>(body: &'b [u8]) -> Result<T, String> {
    protocol::decode(body).map_err(|error| format!("The server's answer cannot be read: {error}."))
}
