//! Times two sides of a job in turns, so that whatever else the machine does slows both.

use std::hint::black_box;

use crate::clock::now;

/// How long a sample's timed passes last together, in seconds: long beside a browser's coarse clock.
const SAMPLE: f64 = 0.020;

/// How long one pass is meant to last, in seconds. More inputs would only be cold in the processor's caches.
const PASS: f64 = 0.001;

/// The most inputs that are prepared for one pass.
const MOST_INPUTS: usize = 512;

/// One side's way to do a job. Preparing and dropping inputs isn't timed; dropping results is, as every replica does it.
pub struct Side {
    pass: Box<dyn FnMut(usize) -> f64>,
}

impl Side {
    /// A side that does `job`.
    pub fn new<O>(mut job: impl FnMut() -> O + 'static) -> Self {
        Self::on(|| (), move |()| job())
    }

    /// A side that does `job` on what `prepare` makes.
    pub fn on<I: 'static, O>(
        mut prepare: impl FnMut() -> I + 'static,
        mut job: impl FnMut(&mut I) -> O + 'static,
    ) -> Self {
        let pass = move |times: usize| {
            let mut inputs: Vec<I> = (0..times).map(|_| prepare()).collect();
            let begun = now();
            for input in &mut inputs {
                drop(black_box(job(black_box(input))));
            }
            now() - begun
        };
        Self { pass: Box::new(pass) }
    }

    /// Does the job so often, for a profiler to watch.
    pub fn repeat(&mut self, times: usize) {
        let mut left = times;
        while left > 0 {
            let now = left.min(MOST_INPUTS);
            (self.pass)(now);
            left -= now;
        }
    }

    /// How many inputs fill a pass. Warms up on the way.
    fn inputs(&mut self) -> usize {
        let mut inputs = 1;
        while (self.pass)(inputs) < PASS && inputs < MOST_INPUTS {
            inputs *= 2;
        }
        inputs
    }

    /// Seconds for one job: the middle one of the sample's passes, since another program's turn falls into a few of them.
    fn sample(&mut self, inputs: usize) -> f64 {
        let mut passes = Vec::new();
        while passes.iter().sum::<f64>() < SAMPLE {
            passes.push((self.pass)(inputs));
        }
        Spread::of(passes.into_iter()).median / f64::from(inputs as u32)
    }
}

/// A job that both sides can do.
pub struct Job {
    /// What is done, from where to where.
    pub name: &'static str,
    /// This project's engine.
    pub holdfast: Side,
    /// The Automerge library.
    pub automerge: Side,
}

/// What was measured of a job.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Seconds for one job.
    pub holdfast: Spread,
    /// Seconds for one job.
    pub automerge: Spread,
    /// How many times as long the library takes, by pairs of neighbouring samples.
    pub ratio: Spread,
}

impl Job {
    /// Measures both sides in turns.
    pub fn measure(&mut self, samples: usize) -> Timing {
        let (holdfast, automerge) = (self.holdfast.inputs(), self.automerge.inputs());
        // A browser compiles what is hot once more, in the background.
        self.holdfast.sample(holdfast);
        self.automerge.sample(automerge);
        let pairs: Vec<(f64, f64)> = (0..samples)
            .map(|_| (self.holdfast.sample(holdfast), self.automerge.sample(automerge)))
            .collect();
        Timing {
            holdfast: Spread::of(pairs.iter().map(|pair| pair.0)),
            automerge: Spread::of(pairs.iter().map(|pair| pair.1)),
            ratio: Spread::of(pairs.iter().map(|pair| pair.1 / pair.0)),
        }
    }
}

/// The middle of some numbers, and between which two their middle half lies.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    /// A quarter is below.
    pub low: f64,
    /// Half is below.
    pub median: f64,
    /// Three quarters are below.
    pub high: f64,
}

impl Spread {
    /// Of at least one number.
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = numbers.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: usize| sorted[(sorted.len() - 1) * part / 4];
        Self {
            low: at(1),
            median: at(2),
            high: at(3),
        }
    }

    /// Half the width of the middle half, in percent of the median.
    pub fn percent(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.median * 100.0
    }
}
