//! The simulation finds mistakes: for each class of them the engine is broken on purpose, and a few seeds must show it.

use holdfast_simulation::report::{Seeds, run_seeds};
use holdfast_store::testing::Mutation;

/// So many seeds are enough for each.
const SEEDS: u64 = 250;

#[test]
fn every_mistake_is_found() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for mutation in Mutation::ALL.iter().chain(Mutation::OF_HUBS) {
        let seeds = Seeds {
            from: 0,
            count: SEEDS,
            time: None,
            failures: 1,
        };
        let summary = run_seeds(seeds, Some(*mutation), &|_| {});
        match summary.failures.first() {
            Some(failure) => println!("{mutation:?}: seed {}, {}", failure.seed, failure.violation),
            None => missed.push(mutation),
        }
    }
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}
