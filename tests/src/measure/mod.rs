//! Benchmarks, one to a file. Each gives a [`Report`]: figures beside a peer or a limit that is taken in the same run.
//! `cargo xtask bench` runs them and writes `docs/benchmarks.md`.

#![expect(clippy::cast_precision_loss, reason = "figures are read to three digits")]

mod bulk;
mod counter;
mod device;
mod everybody;
mod growth;
mod idle;
mod load;
mod memory;
mod peers;
mod pull;
mod push;
mod reconnect;
pub mod report;
pub mod rows;
mod script;
pub mod sender;
mod servers;
mod wire;

use crate::server::Kind;
use report::Report;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many rows; each benchmark has its own number if none is given.
    pub rows: Option<usize>,
    /// How many devices, likewise.
    pub devices: Option<usize>,
    /// How often.
    pub runs: usize,
    /// On which databases, where a benchmark knows several.
    pub kinds: Vec<Kind>,
}

/// Measures as a plan says.
pub type Measure = fn(&Plan) -> Report;

/// The benchmarks by name.
pub const ALL: [(&str, Measure); 10] = [
    ("push", push::measure),
    ("pull", pull::measure),
    ("reconnect", reconnect::measure),
    ("everybody", everybody::measure),
    ("idle", idle::measure),
    ("device", device::measure),
    ("wire", wire::measure),
    ("growth", growth::measure),
    ("servers", servers::measure),
    ("peers", peers::measure),
];
