//! What goes wrong between a hub and the hospital's server.

use std::time::Duration;

use uuid::Uuid;

use crate::store::StoreError;

/// Why an exchange with the hospital's server came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no way to it, or no answer.
    #[error("the hospital's server cannot be reached: {0}")]
    Unreachable(String),
    /// Its certificate is not to be trusted, or it speaks no TLS.
    #[error("there is no trusted connection to the hospital's server: {said}{advice}")]
    Tls {
        /// What is wrong.
        said: String,
        /// What to do.
        advice: String,
    },
    /// It does not know this hub's token.
    #[error(
        "the hospital's server does not know this hub's token: make one there with `sync-server hub add NAME` and give \
         it with --upstream-token-file"
    )]
    UnknownHub,
    /// The hub was locked out there.
    #[error("this hub has been locked out at the hospital's server")]
    LockedOut,
    /// The address leads to another hospital.
    #[error("the address leads to another hospital's server ({found}); this hub belongs to {own}")]
    OtherHospital {
        /// Whose copy this is.
        own: Uuid,
        /// Who answered.
        found: Uuid,
    },
    /// What answers is no Holdfast server.
    #[error("what answers at the address is no Holdfast server (status {0})")]
    Stranger(u16),
    /// It is older than hubs.
    #[error("the hospital's server is of a version that knows no hubs yet: update it first")]
    NoHubs,
    /// Its history is another one: it was put back to a backup.
    #[error("the hospital's server was put back to a backup")]
    Diverged,
    /// It is busy, or its database is away.
    #[error("the hospital's server cannot answer just now: {message}")]
    Busy {
        /// When to ask again.
        retry_after: Option<Duration>,
        /// What it says.
        message: String,
    },
    /// It refused in another way.
    #[error("the hospital's server answered {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// What it sent cannot be read, or is not what was asked for.
    #[error("what the hospital's server sent cannot be taken in: {0}")]
    Malformed(String),
    /// The hub's own store failed.
    #[error("the hub's store failed: {0}")]
    Store(#[from] StoreError),
}

impl LinkError {
    /// What TLS refused, and what to do about it.
    pub(super) fn untrusted(said: String, cause: &rustls::Error) -> Self {
        use rustls::{CertificateError as Certificate, Error};
        let advice = match cause {
            Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
                ": renew it there, or set this machine's clock"
            }
            Error::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
                ": set the clocks of both machines"
            }
            Error::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => {
                ": give --upstream the name that its certificate is for, or have it made for this one"
            }
            Error::InvalidCertificate(_) => {
                ": if its certificate is of an authority of your own, give that one's with --upstream-ca"
            }
            Error::InvalidMessage(_) => ": what answers there speaks no TLS; is it the right port?",
            _ => "",
        };
        Self::Tls {
            said,
            advice: advice.to_owned(),
        }
    }

    /// True if it does not pass by itself: somebody has to set something right.
    pub fn needs_somebody(&self) -> bool {
        !matches!(self, Self::Unreachable(_) | Self::Busy { .. } | Self::Diverged)
    }

    /// When the server asked to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
