//! The simulation finds mistakes: for each class of them the engine is broken on purpose, and a few seeds must show it.

use holdfast_simulation::report::{Seeds, run_seeds};
use holdfast_store::testing::Mutation;

/// So many seeds are enough for each.
const SEEDS: u64 = 250;

/// About every fourth seed has hubs.
const SEEDS_WITH_HUBS: u64 = 1_000;

/// Fails if one of them is not found within `count` seeds; `hubs` leaves out the seeds whose runs have none.
fn all_are_found(mutations: &[Mutation], count: u64, hubs: bool) {
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for mutation in mutations {
        let seeds = Seeds {
            from: 0,
            count,
            time: None,
            failures: 1,
            hubs,
        };
        let summary = run_seeds(seeds, Some(*mutation), &|_| {});
        match summary.failures.first() {
            Some(failure) => println!("{mutation:?}: seed {}, {}", failure.seed, failure.violation),
            None => missed.push(mutation),
        }
    }
    assert!(missed.is_empty(), "not found within {count} seeds: {missed:?}");
}

#[test]
fn every_mistake_is_found() {
    all_are_found(Mutation::ALL, SEEDS, false);
}

#[test]
fn every_mistake_of_several_processes_is_found() {
    all_are_found(Mutation::OF_PROCESSES, SEEDS, false);
}

#[test]
fn every_mistake_of_a_hub_is_found() {
    // What a hub shows only with a role that changed comes too seldom for seeds: `regressions/hub_copies.rs` has a run for each.
    all_are_found(Mutation::OF_HUBS, SEEDS_WITH_HUBS, true);
}
