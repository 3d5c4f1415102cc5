//! Declarations of the sample for whoever sends a few real ones.

use samenloop_adapters::scenario::{Action, ScenarioSet};
use serde_json::Value;

/// The declarations of scenarios that are accepted at once, with the party that sends each: valid in October 2024.
///
/// # Panics
/// Where one is no JSON.
#[must_use]
pub fn accepted(set: &ScenarioSet) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for scenario in &set.scenarios {
        for step in scenario.steps.iter().take(1) {
            let Action::Declare(delivery) = &step.action else {
                continue;
            };
            let all = delivery
                .expected
                .lines
                .iter()
                .all(|line| line.awarded_cents > 0);
            if all && !delivery.expected.lines.is_empty() {
                let body = serde_json::from_slice(&delivery.body).expect("the sample is JSON");
                found.push((delivery.party.to_string(), body));
            }
        }
    }
    found
}
