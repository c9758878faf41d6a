//! Who answers. An address may come to lead to another hospital's server: a name that was given away, a proxy that was set up
//! wrongly. Nothing of what that one says is taken in, and nothing more is sent there, also after a restart: only who
//! answers is asked now and then, without a token, until it is the replica's own hospital again or somebody signs in.

use holdfast_core::protocol;
use rusqlite::Connection;

use super::{HttpRequest, Method, RequestKind};
use crate::{StoreError, meta, replica::Replica};

/// In `sync_meta`: true while another hospital answers.
const ELSEWHERE: &str = "other_hospital";

/// To who works on meanwhile.
pub(super) const OTHER: &str = "The server's address now leads to another hospital. Nothing is sent there and nothing is taken from \
     there; your work is kept on this device. Tell your administrator.";

/// A proxy or a network's sign-in page, say.
pub(super) const NOBODY: &str =
    "Something else answered in place of the hospital's server. Your work is kept on this device and sent later.";

/// Whose answer it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// The replica's hospital.
    Own,
    /// Another hospital.
    Other,
    /// It names none: it is no answer of a server of ours.
    Unnamed,
}

impl Replica {
    /// True if this is how the replica's own hospital names itself: with [`super::HttpResponse::hospital`]. Remembers it if
    /// another hospital answers, and if it is the own one again. For answers that [`Replica::take_response`] does not take.
    pub fn recognises(&mut self, hospital: Option<&str>) -> Result<bool, StoreError> {
        Ok(self.origin(hospital)? == Origin::Own)
    }

    pub(super) fn origin(&mut self, hospital: Option<&str>) -> Result<Origin, StoreError> {
        let Some(named) = hospital else {
            return Ok(Origin::Unnamed);
        };
        if is_own(&self.connection, named)? {
            forget(&self.connection)?;
            return Ok(Origin::Own);
        }
        meta::set(&self.connection, ELSEWHERE, true)?;
        self.round.fail(OTHER.to_owned());
        Ok(Origin::Other)
    }
}

/// True if the replica's hospital names itself so.
pub(super) fn is_own(connection: &Connection, named: &str) -> Result<bool, StoreError> {
    let own: Option<String> = meta::get(connection, "hospital_id")?;
    Ok(own.as_deref() == Some(named))
}

/// True while the address leads to another hospital.
pub(in crate::replica) fn is_elsewhere(connection: &Connection) -> Result<bool, StoreError> {
    Ok(meta::get(connection, ELSEWHERE)?.unwrap_or(false))
}

/// The address leads to the replica's hospital.
pub(in crate::replica) fn forget(connection: &Connection) -> Result<(), StoreError> {
    if is_elsewhere(connection)? {
        meta::remove(connection, ELSEWHERE)?;
    }
    Ok(())
}

/// Asks who answers: every answer names the hospital, that to a request without a token too.
pub(super) fn request() -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        path: format!("/v{}/session", protocol::PROTOCOL_VERSION),
        body: Vec::new(),
        kind: RequestKind::Identify,
    }
}
