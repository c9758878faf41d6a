//! Some hundreds of seeds with every test run. Many more: `cargo xtask simulate --seeds 100000`.

use holdfast_simulation::{
    plan,
    report::{Seeds, regression, run_seeds},
    simulate,
};

#[test]
fn hundreds_of_faulty_weeks_end_well() {
    let seeds = Seeds {
        from: 0,
        count: 200,
        time: None,
        failures: 1,
        hubs: false,
    };
    let summary = run_seeds(seeds, None, &|_| {});
    println!("{} seeds; {}", summary.seeds, summary.tally);
    if let Some(failure) = summary.failures.first() {
        panic!(
            "seed {} failed {}\n{}",
            failure.seed,
            failure.violation,
            regression(failure)
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let run = plan(seed);
        assert_eq!(run, plan(seed));
        assert_eq!(simulate(&run).trace, simulate(&run).trace, "seed {seed}");
    }
}
