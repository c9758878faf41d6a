//! The demo hospital: all 33 tables filled with believable, related, invented data from a seed.
//!
//! ```text
//! departments ► people ► rooms ► patients ► beds ► equipment ► supplies ► stays … ► meetings ► the rest
//!      └─ each step makes rows that refer only to rows of earlier steps or of its own unit ─┘
//! ```
//!
//! *Invariants*
//! - The same size, seed and time give the same rows, to the id.
//! - Nothing is random in how tables hang together: who lies in a bed has an admission, a doctor, treatments; a stock is the
//!   sum of its movements; a bed that is being cleaned has cleaning tasks.

mod appointments;
mod beds;
#[cfg(test)]
mod coherence;
mod dice;
mod discharges;
mod documents;
mod equipment;
mod fill;
mod interactions;
mod meetings;
mod patients;
mod people;
mod places;
mod queue;
mod record;
mod stays;
mod supplies;
mod treatments;
mod turnovers;
mod vocabulary;
mod workforce;
mod world;

use holdfast_core::{ids::Timestamp, row::RowWrite};

pub use fill::{DemoError, Filled, Options, PASSWORD, fill, per_second};
pub use workforce::SIGN_INS;
use world::World;

/// How large the hospital is; everything else follows from these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// At least [`Size::LEAST`]'s.
    pub beds: usize,
    /// At least [`Size::LEAST`]'s.
    pub patients: usize,
}

impl Size {
    /// The smallest hospital that fills all tables.
    pub const LEAST: Self = Self { beds: 20, patients: 60 };

    /// Patients who lie in a bed: three quarters of the beds, if there are that many.
    fn inpatients(self) -> usize {
        (self.beds * 3 / 4).min(self.patients / 2)
    }

    /// Patients who wait for a bed.
    fn waiting(self) -> usize {
        (self.beds / 12).max(2).min(self.patients / 10)
    }

    /// Patients who have been here before.
    fn discharged(self) -> usize {
        (self.patients - self.inpatients() - self.waiting()) * 55 / 100
    }
}

/// Rows of one transaction are about this many.
const BATCH: usize = 250;

/// A step: how many units it has, and what makes one.
type Step = (fn(&World) -> usize, fn(&mut World, usize));

/// In the order of what refers to what.
const STEPS: &[Step] = &[
    (|_| 1, places::make_departments),
    (workforce::count, workforce::make),
    (|_| 1, workforce::appoint_heads),
    (|_| 1, places::make_rooms),
    (|_| 1, stays::plan),
    (|world| world.size.patients, patients::make),
    (|world| world.beds.len(), beds::make),
    (|_| vocabulary::EQUIPMENT.len(), equipment::make),
    (|_| vocabulary::SUPPLIES.len(), supplies::make),
    (|world| world.stays.len(), treatments::make),
    (|world| world.stays.len(), stays::assign_staff),
    (|world| world.stays.len(), equipment::use_in_stay),
    (|world| world.stays.len(), discharges::make),
    (|world| world.beds.len(), turnovers::make),
    (|world| world.size.patients, appointments::make),
    (|world| world.size.waiting(), queue::make),
    (|world| world.size.patients, documents::make),
    (meetings::count, meetings::make),
    (interactions::count, interactions::make),
];

/// Makes the hospital's rows part by part: each item is a transaction's.
pub struct Demo {
    world: World,
    step: usize,
    unit: usize,
}

impl Demo {
    /// A hospital of this size. `series` sets its numbers and names apart from those of a hospital that is there already;
    /// it is empty or a few letters.
    pub fn new(size: Size, seed: u64, now: Timestamp, series: &str) -> Self {
        assert!(
            size.beds >= Size::LEAST.beds && size.patients >= Size::LEAST.patients,
            "BUG: too small a demo hospital"
        );
        Self {
            world: World::new(size, seed, now, series),
            step: 0,
            unit: 0,
        }
    }
}

impl Iterator for Demo {
    type Item = Vec<RowWrite>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((count, make)) = STEPS.get(self.step) {
            if self.unit == count(&self.world) {
                (self.step, self.unit) = (self.step + 1, 0);
                continue;
            }
            make(&mut self.world, self.unit);
            self.unit += 1;
            if self.world.rows.len() >= BATCH {
                break;
            }
        }
        let rows = std::mem::take(&mut self.world.rows);
        (!rows.is_empty()).then_some(rows)
    }
}
