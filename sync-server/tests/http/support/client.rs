//! HTTP as a device speaks it.

use std::{collections::BTreeMap, time::Duration};

use holdfast_core::protocol::ErrorResponse;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The code of an error, beside its status.
    pub fn error(&self) -> (u16, String) {
        (self.status, self.json::<ErrorResponse>().code)
    }
}

pub fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    request("GET", url, headers, &[])
}

/// Sends a request. The connection is the request's own.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .into();
    let mut builder = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let answer = if body.is_empty() && method != "POST" {
        agent.run(builder.body(()).unwrap())
    } else {
        agent.run(builder.body(body).unwrap())
    };
    let mut answer = answer.unwrap_or_else(|e| panic!("{method} {url}: {e}"));
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    Answer {
        status: answer.status().as_u16(),
        headers,
        body: answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap(),
    }
}
