//! Crashes at every write: a history is lived once more for each commit of one of its stores, and that store dies right before it
//! or right after it.
//!
//! A commit is whole or not at all, so between two of them there is nothing more to be found: see
//! [`holdfast_store::testing::CrashPoint`].

use holdfast_store::testing::CrashPoint;

use crate::{Outcome, Run, Step, Violation, simulate};

/// Whose store dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Victim {
    /// That of this device.
    Device(u8),
    /// That of the hospital's server.
    Server,
    /// That of this hub.
    Hub(u8),
}

impl Victim {
    fn dies(self, at: CrashPoint) -> Step {
        match self {
            Self::Device(device) => Step::Crash { device, at },
            Self::Server => Step::CrashServer { at },
            Self::Hub(hub) => Step::CrashHub { hub, at },
        }
    }
}

/// Lives `run` with a crash at each commit of the victim from the step `from` on. Steps at which the victim is not to be disturbed
/// (a server that is put back, or at whose door somebody signs in or gets another role) end what is looked at. Returns how
/// many crashes there were, or the first run that ended badly.
pub fn crash_at_every_write(run: &Run, from: usize, victim: Victim) -> Result<u64, (Run, Violation)> {
    let mut crashes = 0;
    for point in [CrashPoint::BeforeCommit, CrashPoint::AfterCommit] {
        for nth in 1.. {
            let mut with_crash = run.clone();
            with_crash.steps.insert(from, victim.dies(point(nth)));
            let outcome = simulate(&with_crash);
            if !died(&outcome) {
                break;
            }
            crashes += 1;
            if let Some(violation) = outcome.violation {
                return Err((with_crash, violation));
            }
        }
    }
    Ok(crashes)
}

fn died(outcome: &Outcome) -> bool {
    let counts = ["devices died", "servers died"].map(|name| outcome.tally.counts.get(name).copied());
    counts.into_iter().flatten().sum::<u64>() > 0
}
