//! Requests of a hub to the hospital's server. They block: run them on a thread of their own.

use std::{
    io::{BufReader, Read},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use holdfast_core::{
    ids::Seq,
    protocol::{
        ErrorResponse, HubAccess, HubSignedOut, PullResponse, PushOutcome, PushRequest, PushResponse, decode, encode,
    },
    transaction::{Mark, Transaction},
};
use sha2::{Digest, Sha256};
use ureq::{
    Agent, Body,
    http::{Request, Response, StatusCode, Uri, header},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};
use uuid::Uuid;

use super::{Address, LinkError};
use crate::hex;

/// How long it may take until there is a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long until an answer begins: the server gives itself two minutes.
const ANSWER: Duration = Duration::from_secs(130);

/// How long a connection may be silent in the middle of an answer. A live channel says something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(40);

/// How long somebody who signs in waits for the hospital's server before the hub looks itself.
const SIGN_IN: Duration = Duration::from_secs(10);

/// The longest answer that is taken, in bytes: a page of the stream ends after 4 MiB and one transaction of at most 16.
const MAX_ANSWER: u64 = 64 << 20;

/// The longest answer to a sign-in, and the longest error.
const MAX_SMALL: u64 = 64 << 10;

/// Talks to the hospital's server. Cheap to clone.
#[derive(Clone)]
pub struct HubClient {
    agent: Agent,
    sign_ins: Agent,
    url: Arc<str>,
    token: Arc<str>,
}

/// What the hospital's server answered to a request that was passed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forwarded {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: Vec<u8>,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// Who may sign in, as it came, and its digest.
pub(super) struct Access {
    pub(super) access: HubAccess,
    pub(super) digest: String,
}

impl HubClient {
    /// A client for this address. An error says what is wrong with address, token or certificates.
    pub fn new(address: &Address) -> anyhow::Result<Self> {
        let url = checked(&address.url)?;
        let token = address.token.trim();
        ensure!(
            hex::decode::<32>(token).is_some(),
            "the hub's token is not 64 hexadecimal digits: it is what `sync-server hub add` printed"
        );
        let tls = match &address.ca {
            None => TlsConfig::default(),
            Some(file) => TlsConfig::builder().root_certs(authorities(file)?).build(),
        };
        let agent = |connect: Duration, answer: Duration| {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .tls_config(tls.clone())
                .timeout_resolve(Some(connect))
                .timeout_connect(Some(connect))
                .timeout_recv_response(Some(answer))
                .timeout_per_read(Some(SILENCE.min(answer)))
                .timeout_per_write(Some(SILENCE.min(answer)));
            Agent::from(config.build())
        };
        Ok(Self {
            agent: agent(CONNECT, ANSWER),
            sign_ins: agent(SIGN_IN / 2, SIGN_IN),
            url: url.into(),
            token: token.to_ascii_lowercase().into(),
        })
    }

    /// Where the hospital's server is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which hospital it is.
    pub fn hospital(&self) -> Result<Uuid, LinkError> {
        let answer = self.get(None, "/v1/hub/access")?;
        hospital(&answer).ok_or(LinkError::Stranger(answer.status().as_u16()))
    }

    /// Who may sign in where; `None` if that is what the hub has already.
    pub(super) fn access(&self, own: Uuid, known: &str) -> Result<Option<Access>, LinkError> {
        let answer = self.get(Some(own), &format!("/v1/hub/access?known={known}"))?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let bytes = read(answer, MAX_ANSWER)?;
        Ok(Some(Access {
            access: decode(&bytes).map_err(malformed)?,
            digest: hex::encode(&Sha256::digest(&bytes)),
        }))
    }

    /// What came after a cursor; `mark` is that of the entry there.
    pub(super) fn pull(&self, own: Uuid, after: Seq, mark: Option<&Mark>) -> Result<PullResponse, LinkError> {
        let mark = mark.map(|mark| format!("&mark={}", mark.0)).unwrap_or_default();
        let answer = self.get(Some(own), &format!("/v1/hub/pull?after={after}{mark}"))?;
        decode(&read(answer, MAX_ANSWER)?).map_err(malformed)
    }

    /// Passes transactions on. An outcome for each, in order.
    pub(super) fn push(&self, own: Uuid, transactions: Vec<Transaction>) -> Result<Vec<PushOutcome>, LinkError> {
        let count = transactions.len();
        let answer = self.post(own, "/v1/hub/push", &encode(&PushRequest { transactions }))?;
        let response: PushResponse = decode(&read(answer, MAX_ANSWER)?).map_err(malformed)?;
        if response.outcomes.len() != count {
            let got = response.outcomes.len();
            return Err(LinkError::Malformed(format!("{got} outcomes for {count} transactions")));
        }
        Ok(response.outcomes)
    }

    /// Tells of sessions that ended here.
    pub(super) fn signed_out(&self, own: Uuid, ended: &HubSignedOut) -> Result<(), LinkError> {
        self.post(own, "/v1/hub/signed-out", &encode(ended)).map(drop)
    }

    /// Lines of the live channel.
    pub(super) fn live(&self, own: Uuid) -> Result<BufReader<impl Read + use<>>, LinkError> {
        let answer = self.get(Some(own), "/v1/hub/live")?;
        Ok(BufReader::new(answer.into_body().into_reader()))
    }

    /// Passes a sign-in on, as it is. An error means that nobody answered who could say yes or no.
    pub(super) fn sign_in(&self, own: Uuid, request: &[u8]) -> Result<Forwarded, LinkError> {
        let asked = Request::post(format!("{}/v1/session", self.url))
            .header(header::CONTENT_TYPE, "application/json")
            .body(request)
            .map_err(|e| LinkError::Malformed(e.to_string()))?;
        let answer = self.sign_ins.run(asked).map_err(|e| failed(&e))?;
        if hospital(&answer) != Some(own) || answer.status().is_server_error() || answer.status().is_redirection() {
            return Err(refused(answer, Some(own)));
        }
        Ok(Forwarded {
            status: answer.status().as_u16(),
            retry_after: retry_after(&answer),
            body: read(answer, MAX_SMALL)?,
        })
    }

    fn get(&self, own: Option<Uuid>, path: &str) -> Result<Response<Body>, LinkError> {
        let request = Request::get(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(())
            .map_err(|e| LinkError::Malformed(e.to_string()))?;
        let answer = self.agent.run(request).map_err(|e| failed(&e))?;
        good(answer, own)
    }

    fn post(&self, own: Uuid, path: &str, body: &[u8]) -> Result<Response<Body>, LinkError> {
        let request = Request::post(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/cbor")
            .body(body)
            .map_err(|e| LinkError::Malformed(e.to_string()))?;
        let answer = self.agent.run(request).map_err(|e| failed(&e))?;
        good(answer, Some(own))
    }
}

/// The address, if the token is safe on the way there.
fn checked(text: &str) -> anyhow::Result<String> {
    let address: Uri = text
        .parse()
        .with_context(|| format!("--upstream {text} is no address"))?;
    let (Some(scheme), Some(host)) = (address.scheme_str(), address.host()) else {
        bail!("--upstream takes an address that begins with https://");
    };
    ensure!(
        address.path() == "/" && address.query().is_none(),
        "--upstream takes an address without a path: https://HOST or https://HOST:PORT"
    );
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    ensure!(
        scheme == "https" || (scheme == "http" && is_here),
        "--upstream takes an address that begins with https://: the hub's token and everybody's password hashes go there"
    );
    Ok(text.trim_end_matches('/').to_owned())
}

fn authorities(file: &Path) -> anyhow::Result<RootCerts> {
    let pem = std::fs::read(file).with_context(|| format!("reading --upstream-ca {}", file.display()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.with_context(|| format!("reading --upstream-ca {}", file.display()))?
        {
            certificates.push(certificate);
        }
    }
    ensure!(
        !certificates.is_empty(),
        "there is no certificate (PEM) in --upstream-ca {}",
        file.display()
    );
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Why no answer came.
fn failed(error: &ureq::Error) -> LinkError {
    let (said, cause) = (error.to_string(), tls_cause(error));
    match (error, cause) {
        (_, Some(cause)) => LinkError::untrusted(said, cause),
        (ureq::Error::Tls(_), None) => LinkError::Tls {
            said,
            advice: String::new(),
        },
        (_, None) => LinkError::Unreachable(said),
    }
}

/// What TLS says. What a handshake fails with comes as an error of the connection.
fn tls_cause(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(io) => io.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// An answer of the hospital's own server that is one, be it "nothing new".
fn good(answer: Response<Body>, own: Option<Uuid>) -> Result<Response<Body>, LinkError> {
    let is_good = answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED;
    match hospital(&answer) {
        Some(found) if is_good && own.is_none_or(|own| own == found) => Ok(answer),
        _ => Err(refused(answer, own)),
    }
}

/// What a refusal means.
fn refused(answer: Response<Body>, own: Option<Uuid>) -> LinkError {
    let (status, found, wait) = (answer.status().as_u16(), hospital(&answer), retry_after(&answer));
    let said = read(answer, MAX_SMALL).unwrap_or_default();
    let said: Option<ErrorResponse> = serde_json::from_slice(&said).ok();
    let code = said.as_ref().map_or("", |error| error.code.as_str());
    let message = || {
        said.as_ref()
            .map_or_else(|| format!("status {status}"), |error| error.message.clone())
    };
    match (own, found) {
        (Some(own), Some(found)) if own != found => return LinkError::OtherHospital { own, found },
        (_, None) if !matches!(status, 429 | 502..=504) => return LinkError::Stranger(status),
        _ => {}
    }
    match (status, code) {
        (429 | 502..=504, _) => LinkError::Busy {
            retry_after: wait.map(Duration::from_secs),
            message: message(),
        },
        (401, "unknown_hub") => LinkError::UnknownHub,
        (403, "hub_revoked") => LinkError::LockedOut,
        (404, _) => LinkError::NoHubs,
        (409, "diverged") => LinkError::Diverged,
        _ => LinkError::Refused {
            status,
            message: message(),
        },
    }
}

/// Every answer of a server of ours names its hospital: nothing of another one is taken in.
fn hospital(answer: &Response<Body>) -> Option<Uuid> {
    let named = answer.headers().get("holdfast-hospital")?;
    named.to_str().ok()?.parse().ok()
}

fn retry_after(answer: &Response<Body>) -> Option<u64> {
    let header = answer.headers().get(header::RETRY_AFTER)?;
    header.to_str().ok()?.parse().ok()
}

/// Reads a body, unpacked, and stops at a limit: a small one may unpack to any size.
fn read(answer: Response<Body>, limit: u64) -> Result<Vec<u8>, LinkError> {
    let mut bytes = Vec::new();
    let reader = answer.into_body().into_reader();
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| LinkError::Unreachable(format!("the answer ended early: {e}")))?;
    if bytes.len() as u64 > limit {
        return Err(LinkError::Malformed(format!("an answer has more than {limit} bytes")));
    }
    Ok(bytes)
}

fn malformed(error: impl std::fmt::Display) -> LinkError {
    LinkError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_tls_or_stays_on_the_machine() {
        for good in [
            "https://hospital.example",
            "https://hospital.example:8443/",
            "http://127.0.0.1:8080",
            "http://localhost:8080",
        ] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in [
            "http://hospital.example",
            "hospital.example",
            "https://hospital.example/v1",
            "ftp://hospital.example",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
