//! One HTTP request and its answer, packed as browsers pack them.

use std::{io::Read, time::Duration};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use holdfast_store::replica::HttpResponse;
use ureq::{Agent, http};

/// Smaller bodies gain nothing from being packed.
const PACK_FROM: usize = 1_024;

/// A client that keeps its connections open.
#[derive(Clone, Debug)]
pub struct Client(Agent);

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `Holdfast-Hospital`.
    pub hospital: Option<String>,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The body, unpacked.
    pub body: Vec<u8>,
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        Self {
            status: answer.status,
            hospital: answer.hospital,
            body: answer.body,
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question<'a> {
    /// `GET` if there is no body, `POST` otherwise.
    pub body: Option<Vec<u8>>,
    /// Goes into `Authorization`.
    pub token: Option<&'a str>,
    /// `application/cbor` unless this says otherwise.
    pub content_type: Option<&'a str>,
    /// The body is packed in this way already.
    pub encoding: Option<&'a str>,
}

impl Default for Client {
    fn default() -> Self {
        Self::with_patience(Duration::from_mins(1))
    }
}

impl Client {
    /// A client that gives a request up after this time.
    pub fn with_patience(patience: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .build();
        Self(config.new_agent())
    }

    /// Asks. An error says why no whole answer came.
    pub fn ask(&self, address: &str, question: &Question<'_>) -> Result<Answer, String> {
        let builder = http::Request::builder().uri(address).header("Accept-Encoding", "gzip");
        let builder = match question.token {
            Some(token) => builder.header("Authorization", format!("Bearer {token}")),
            None => builder,
        };
        let response = match &question.body {
            None => self.0.run(builder.method("GET").body(()).map_err(|e| e.to_string())?),
            Some(body) => {
                let content_type = question.content_type.unwrap_or("application/cbor");
                let builder = builder.method("POST").header("Content-Type", content_type);
                let (builder, body) = match question.encoding {
                    Some(encoding) => (builder.header("Content-Encoding", encoding), body.clone()),
                    None if body.len() < PACK_FROM => (builder, body.clone()),
                    None => (builder.header("Content-Encoding", "gzip"), pack(body)),
                };
                self.0.run(builder.body(body).map_err(|e| e.to_string())?)
            }
        };
        read(response.map_err(|e| e.to_string())?)
    }
}

/// Packs bytes.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut packer, bytes).expect("packing into memory cannot fail");
    packer.finish().expect("packing into memory cannot fail")
}

fn read(mut response: http::Response<ureq::Body>) -> Result<Answer, String> {
    let status = response.status().as_u16();
    let hospital = response.headers().get("Holdfast-Hospital");
    let hospital = hospital.and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let retry_after = response.headers().get("Retry-After");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let packed = response.headers().get("Content-Encoding").is_some_and(|e| e == "gzip");
    let reading = response.body_mut().with_config().limit(1 << 30);
    let body = reading.read_to_vec().map_err(|e| e.to_string())?;
    if !packed {
        return Ok(Answer {
            status,
            hospital,
            retry_after,
            body,
        });
    }
    let mut unpacked = Vec::new();
    let read = GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked);
    read.map_err(|e| format!("the answer cannot be unpacked: {e}"))?;
    Ok(Answer {
        status,
        hospital,
        retry_after,
        body: unpacked,
    })
}
