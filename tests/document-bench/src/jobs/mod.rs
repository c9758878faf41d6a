//! The jobs that are measured.

mod build;
mod fold;
mod limit;
mod open;

use crate::timing::Job;

/// All jobs, in the order of the table.
pub fn all() -> Vec<Job> {
    [build::jobs(), fold::jobs(), limit::jobs(), open::jobs()]
        .into_iter()
        .flatten()
        .collect()
}
