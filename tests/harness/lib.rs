//! What the tests share: the sample in its worlds, and outcomes as text that a policy expert can read.

pub mod domain_path;
pub mod golden;
pub mod product_path;
pub mod production;
pub mod text;

use std::path::PathBuf;

use samenloop_adapters::scenario::{self, ScenarioSet};

/// The directory of the sample.
#[must_use]
pub fn sample() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/sample"))
}

/// Every scenario of the sample, each in its world.
///
/// # Panics
/// Where the sample has faults; it prints them.
#[must_use]
pub fn scenarios() -> ScenarioSet {
    scenario::load_all(&sample())
        .unwrap_or_else(|faults| panic!("the sample has faults: {faults:#?}"))
}
