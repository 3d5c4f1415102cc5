//! The whole product on one thread with paused time, its queue and databases in memory, while faults happen at
//! points drawn from a seed: errors, panics, settlement away, and the process gone and started anew.
//!
//! The same seed gives the same trace: every entry of the log with its time, every reply in its order, every event.
//! `SIMULATION_SEED=n` runs that seed alone.

mod faults;
mod random;
mod senders;
mod world;

use std::env;

use harness::golden;
use samenloop_adapters::{
    generate::Generator,
    scenario::{self, ScenarioSet},
};

use crate::world::{Ran, World};

/// Seeds of every run; the first runs twice.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

/// Generated lines beside the scenarios.
const LINES: u32 = 300;

fn sample(generator: Generator) -> ScenarioSet {
    scenario::load_with(&harness::sample(), |data| {
        generator.reference_extension(data)
    })
    .unwrap_or_else(|faults| panic!("the sample has faults: {faults:#?}"))
}

fn seeds() -> Vec<u64> {
    match env::var("SIMULATION_SEED") {
        Ok(seed) => vec![seed.parse().expect("SIMULATION_SEED is a number")],
        Err(_) => SEEDS.collect(),
    }
}

/// Runs one seed on a runtime of its own. It has no input or output, so nothing waits for the machine.
fn simulate(seed: u64, set: &ScenarioSet, generator: Generator) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = World::new(seed, set).await;
        world.run(set, generator).await
    })
}

#[test]
fn one_seed_gives_one_trace() {
    let generator = Generator::new(LINES, 1);
    let set = sample(generator);
    let seed = seeds()[0];
    println!("SIMULATION_SEED={seed}");
    let first = simulate(seed, &set, generator);
    let second = simulate(seed, &set, generator);
    for (first, second) in first.trace.iter().zip(&second.trace) {
        assert_eq!(first, second, "seed {seed}");
    }
    assert_eq!(first.trace.len(), second.trace.len(), "seed {seed}");
    assert!(first.trace.len() > 300, "the trace holds what happened");
}

#[test]
fn faults_lose_nothing_and_double_nothing() {
    let generator = Generator::new(LINES, 1);
    let set = sample(generator);
    let (mut crashes, mut duplicates) = (0, 0);
    for seed in seeds() {
        println!("SIMULATION_SEED={seed}");
        let ran = simulate(seed, &set, generator);
        println!(
            "{} replies, {} processes ended, {} replies came again",
            ran.outcomes, ran.crashes, ran.duplicates
        );
        golden::compare(&set, &ran.texts);
        crashes += ran.crashes;
        duplicates += ran.duplicates;
    }
    assert!(
        crashes > 0 && duplicates > 0,
        "the faults happen: {crashes} {duplicates}"
    );
}
