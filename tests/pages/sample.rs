//! Declarations of the sample by their scenario.

use samenloop_adapters::scenario::{Action, Delivery, ScenarioSet};

/// The last declaration of a scenario.
pub(crate) fn delivery<'a>(set: &'a ScenarioSet, number: &str) -> &'a Delivery {
    let scenario = set.scenarios.iter().find(|it| it.number == number);
    let steps = scenario.expect("the sample has it").steps.iter();
    let mut deliveries = steps.filter_map(|step| match &step.action {
        Action::Declare(delivery) => Some(delivery),
        Action::ImportExisting(_) | Action::Decide(_) => None,
    });
    deliveries.next_back().expect("it declares something")
}
