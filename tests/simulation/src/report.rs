//! Many seeds, on all processors.

use std::{
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use holdfast_store::testing::Mutation;

use crate::{Outcome, Run, Tally, Violation, plan, shrink, simulate};

/// How many runs a shrinking may take.
const TRIES: usize = 1_500;

/// A seed that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What was wrong.
    pub violation: Violation,
}

/// What many seeds came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many ran.
    pub seeds: u64,
    /// What they consisted of.
    pub tally: Tally,
    /// Those that failed, in order.
    pub failures: Vec<Failure>,
}

/// Which seeds to run.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The first.
    pub from: u64,
    /// How many.
    pub count: u64,
    /// No more are begun after this.
    pub time: Option<Duration>,
    /// No more are begun after so many have failed.
    pub failures: usize,
    /// Those whose runs have no hubs are left out.
    pub hubs: bool,
}

/// Runs a seed. A panic of the engine is a violation too.
pub fn run(run: &Run) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| simulate(run))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Outcome {
            trace: 0,
            tally: Tally::default(),
            violation: Some(Violation::engine(text.unwrap_or_else(|| "a panic".to_owned()))),
        }
    })
}

/// Runs seeds, each thread its own; the engine may be broken on purpose. `progress` is told after each.
pub fn run_seeds(seeds: Seeds, mutation: Option<Mutation>, progress: &(dyn Fn(&Summary) + Sync)) -> Summary {
    let next = AtomicU64::new(seeds.from);
    let summary = Mutex::new(Summary::default());
    let begun = Instant::now();
    let work = || {
        let _broken = mutation.map(Mutation::turn_on);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let late = seeds.time.is_some_and(|time| begun.elapsed() > time);
            let enough = lock(&summary).failures.len() >= seeds.failures;
            if seed - seeds.from >= seeds.count || late || enough {
                return;
            }
            let planned = plan(seed);
            if seeds.hubs && planned.hubs == 0 {
                continue;
            }
            let outcome = run(&planned);
            let mut summary = lock(&summary);
            summary.seeds += 1;
            summary.tally += outcome.tally;
            summary
                .failures
                .extend(outcome.violation.map(|violation| Failure { seed, violation }));
            progress(&summary);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(work);
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.failures.sort_by_key(|failure| failure.seed);
    summary
}

fn lock(summary: &Mutex<Summary>) -> std::sync::MutexGuard<'_, Summary> {
    summary.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shortest run that fails as this seed does, as a test to be pasted.
pub fn regression(failure: &Failure) -> String {
    let shortest = shrink(&plan(failure.seed), TRIES, |candidate| {
        run(candidate).violation.is_some()
    });
    let why = run(&shortest)
        .violation
        .map_or_else(String::new, |violation| violation.to_string());
    let mut text = format!(
        "// Seed {}: {}\n#[test]\nfn say_what_it_shows() {{\n    holds(&Run {{\n        devices: {},\n        page: {},\n        hubs: {},\n        processes: {},\n        personal: {},\n        steps: vec![\n",
        failure.seed,
        why.replace('\n', "\n// "),
        shortest.devices,
        shortest.page,
        shortest.hubs,
        shortest.processes,
        shortest.personal,
    );
    for step in &shortest.steps {
        let _infallible = writeln!(text, "            {step:?},");
    }
    text + "        ],\n        ..Run::default()\n    });\n}\n"
}
