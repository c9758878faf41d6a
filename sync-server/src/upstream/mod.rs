//! A hub's way to the hospital's server.
//!
//! ```text
//!  devices ──► hub: committer ──► relayed ──► push ─┐
//!  devices ◄── hub: its copy  ◄── follow  ◄── pull ◄┼── hospital's server
//!              who may sign in    ◄──────── access ◄┤
//!              a poke ◄──────────────────────  live ◄┘
//! ```
//!
//! One task talks, in rounds: who may sign in, pull until the end, push what is relayed, pull what came of it. It then waits
//! for news from either side, or a minute. Requests block, so each runs on a thread of its own: nobody waits for them when
//! the hub goes down.
//!
//! *Architecture invariant*: the hub never gives out a seq. There is one order, the hospital's.

mod client;
mod error;
mod link;
mod live;
mod round;
mod start;

use std::{path::PathBuf, time::Duration};

pub use client::{Forwarded, HubClient};
pub use error::LinkError;
pub use link::{Contact, Link};
pub use round::run;
pub use start::{StartError, start};

/// Where the hospital's server is, and how to speak to it.
#[derive(Clone, Debug)]
pub struct Address {
    /// `https://…`, without a path.
    pub url: String,
    /// The hub's token, 64 hexadecimal digits.
    pub token: String,
    /// A file of the certificates (PEM) that count instead of the public authorities'.
    pub ca: Option<PathBuf>,
}

/// How often the hub asks without news.
const QUIET: Duration = Duration::from_mins(1);

/// How often it asks while it has no live channel.
const DEAF: Duration = Duration::from_secs(10);
