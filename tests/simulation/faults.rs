//! What goes wrong in one run.

use std::time::Duration;

use samenloop_adapters::fault_plan::{Fault, FaultPlan, FaultPoint};

use crate::random::Random;

/// For each point: over how many visits its faults are spread, how many are errors, how many panics.
///
/// A read never panics: nothing of ours does there, and a panic of the reader would only be another crash.
const FAULTS: [(FaultPoint, u64, u64, u64); 5] = [
    (FaultPoint::BeforeCommit, 160, 10, 4),
    (FaultPoint::AfterCommitBeforeAck, 120, 6, 2),
    (FaultPoint::AfterConfirmBeforeMark, 60, 6, 2),
    (FaultPoint::OnRead, 3_000, 40, 0),
    (FaultPoint::OnSend, 160, 10, 2),
];

/// Plans the faults of a run into the plan that its adapters share.
pub(crate) fn plan(plan: &FaultPlan, random: &mut Random) {
    for (point, visits, errors, panics) in FAULTS {
        for number in 0..errors + panics {
            let fault = if number < errors {
                Fault::Error
            } else {
                Fault::Panic
            };
            let visit = 1 + random.below(visits);
            // Clones share what is planned.
            let _ = plan.clone().with(point, visit, fault);
        }
    }
}

/// How long each process lives before it is gone without a word; the last one stays.
pub(crate) fn lifetimes(random: &mut Random) -> Vec<Duration> {
    let mut lifetimes = Vec::new();
    for _ in 0..3 {
        lifetimes.push(Duration::from_millis(100 + random.below(1_500)));
    }
    lifetimes
}
