//! The simulation: devices, hubs, a server and the network between them through virtual weeks, all from a seed.
//!
//! ```text
//!  seed ── plan ──► Run { devices, steps } ── World ──► heal ──► checks ──► Passed or Failed
//!                        ▲                                                     │
//!                        └──────────────── shrink: fewer steps ◄───────────────┘
//! ```
//!
//! The engine is the real one; what is simulated is time, chance, the network, the disks and the people. A [`Run`] is
//! data: a step tells what to do in the state that it meets, so that any part of a run is a run, and the shortest one
//! that still fails can be pasted into `tests/regressions`.
//!
//! In some runs the hospital's server is two processes over one database, each with a connection, a memory and a clock of its
//! own: requests go to either, and either dies alone. They stand for servers over one PostgreSQL; that database's own
//! transactions, which overlap, are tried in `tests/tests`.
//!
//! *Architecture invariants*
//! - The same run gives the same trace, everywhere: no clock, no randomness, no threads inside a run.
//! - What must hold is said in [`check`] and nowhere else.

pub mod check;
mod crashes;
mod device;
mod dice;
mod hospital;
mod ledger;
mod network;
mod plan;
pub mod report;
mod server;
mod shrink;
mod step;
mod tally;
mod versions;
mod wards;
mod work;
mod world;

pub use check::Violation;
pub use crashes::{Victim, crash_at_every_write};
pub use hospital::HUBS;
pub use plan::plan;
pub use shrink::shrink;
pub use step::{Errand, Fate, Run, Step};
pub use tally::Tally;
pub use work::Work;
pub use world::{Outcome, simulate};

/// For runs that are pasted into a test.
pub mod prelude {
    pub use holdfast_store::testing::CrashPoint::{AfterCommit, BeforeCommit, Inside};

    pub use crate::{
        Errand::{Access, Page, Push},
        Fate::*,
        Run,
        Step::*,
        Work::*,
        simulate,
    };
}
