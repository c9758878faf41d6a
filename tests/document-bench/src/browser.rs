//! The jobs as a module for browsers, measured one by one so that the page stays alive in between.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    jobs, sizes, table,
    timing::{Job, Timing},
};

/// The jobs, and what was measured so far.
#[wasm_bindgen]
pub struct Benchmark {
    jobs: Vec<Job>,
    timings: Vec<(&'static str, Timing)>,
}

#[wasm_bindgen]
impl Benchmark {
    /// All jobs.
    #[wasm_bindgen(constructor)]
    #[expect(clippy::new_without_default, reason = "JavaScript knows constructors only")]
    pub fn new() -> Self {
        Self {
            jobs: jobs::all(),
            timings: Vec::new(),
        }
    }

    /// The next job's name; none when all are measured.
    pub fn next(&self) -> Option<String> {
        self.jobs.get(self.timings.len()).map(|job| job.name.to_owned())
    }

    /// Measures the next job, by so many samples of each side.
    pub fn measure(&mut self, samples: usize) {
        if let Some(job) = self.jobs.get_mut(self.timings.len()) {
            let timing = job.measure(samples);
            self.timings.push((job.name, timing));
        }
    }

    /// All that was measured, and all sizes, as Markdown.
    pub fn markdown(&self) -> String {
        table::markdown(&self.timings, &sizes::all())
    }
}
