//! Random histories in a small world, so small that lines meet all the time.
//!
//! A history is a plan of small numbers, which shrinks well, and what [`crate::build`] makes of it.

use proptest::{collection::vec, prelude::*};

/// A world and what happens in it.
#[derive(Clone, Debug)]
pub(crate) struct HistoryPlan {
    /// Contracts.
    pub(crate) contracts: Vec<ContractPlan>,
    /// Whether the rows for repeated lines stand in the table.
    pub(crate) repeats_are_ruled: bool,
    /// Pair rules.
    pub(crate) pair_rules: Vec<PairRulePlan>,
    /// Line rules: kind or code, condition, from.
    pub(crate) line_rules: Vec<(u8, u8, u8)>,
    /// A policy: insurer, the number of the rule that it names (or all), until.
    pub(crate) policy: Option<(u8, u8, u8)>,
    /// Messages and imports.
    pub(crate) steps: Vec<StepPlan>,
}

/// A contract; masks choose from the lists of the world.
#[derive(Clone, Debug)]
pub(crate) struct ContractPlan {
    pub(crate) codes: (u8, Option<u8>),
    pub(crate) declarants: u8,
    pub(crate) participants: u8,
    pub(crate) billing: u8,
    pub(crate) groups: u8,
    pub(crate) overlapping: u8,
    pub(crate) activities: u8,
    pub(crate) deduction: u8,
    pub(crate) ceiling: u8,
    pub(crate) terms_max: u8,
    pub(crate) agreed_part: u8,
    pub(crate) schoning: u8,
}

/// A row of the table of pairs.
#[derive(Clone, Debug)]
pub(crate) struct PairRulePlan {
    pub(crate) operands: u8,
    pub(crate) level: u8,
    pub(crate) when: u8,
    pub(crate) effect: u8,
    pub(crate) codes: u8,
    pub(crate) shared_insurer: bool,
    pub(crate) validity: u8,
}

/// A message, or a chunk of existing prestaties.
#[derive(Clone, Debug)]
pub(crate) struct StepPlan {
    pub(crate) import: bool,
    pub(crate) contract: u8,
    pub(crate) insurer: u8,
    pub(crate) received: u8,
    pub(crate) invoice: u8,
    pub(crate) lines: Vec<LinePlan>,
}

/// A line; a credit copies an earlier debit and twists it or not.
#[derive(Clone, Debug)]
pub(crate) struct LinePlan {
    pub(crate) is_credit: bool,
    pub(crate) contract: u8,
    pub(crate) second_code: bool,
    pub(crate) period: u8,
    pub(crate) group: u8,
    pub(crate) person: u8,
    pub(crate) activities: u8,
    pub(crate) participants: u8,
    pub(crate) meeting: u8,
    pub(crate) amount: u8,
    pub(crate) on_behalf_of: u8,
    pub(crate) reference: u8,
    pub(crate) twist: u8,
    pub(crate) target: u8,
    pub(crate) found: u8,
}

/// A whole history.
pub(crate) fn history() -> impl Strategy<Value = HistoryPlan> {
    (
        vec(contract(), 2..=6),
        (any::<bool>(), vec(pair_rule(), 0..=16)),
        vec((0..4u8, 0..3u8, 0..3u8), 0..=3),
        proptest::option::weighted(0.3, (0..2u8, 0..24u8, 0..3u8)),
        vec(step(), 1..=12),
    )
        .prop_map(
            |(contracts, pair_rules, line_rules, policy, steps)| HistoryPlan {
                contracts,
                repeats_are_ruled: pair_rules.0,
                pair_rules: pair_rules.1,
                line_rules,
                policy,
                steps,
            },
        )
}

fn contract() -> impl Strategy<Value = ContractPlan> {
    let parties = (prop_oneof![3 => Just(1u8), 1 => 1..16u8], 0..32u8, 0..6u8);
    let scope = (1..16u8, 0..16u8, 1..16u8);
    let bounds = (0..6u8, 0..8u8, 0..8u8, 0..16u8, 0..4u8);
    (
        (0..6u8, proptest::option::weighted(0.3, 0..6u8)),
        parties,
        scope,
        bounds,
    )
        .prop_map(|(codes, parties, scope, bounds)| ContractPlan {
            codes,
            declarants: parties.0,
            participants: parties.1,
            billing: parties.2,
            groups: scope.0,
            overlapping: scope.1,
            activities: scope.2,
            deduction: bounds.0,
            ceiling: bounds.1,
            terms_max: bounds.2,
            agreed_part: bounds.3,
            schoning: bounds.4,
        })
}

fn pair_rule() -> impl Strategy<Value = PairRulePlan> {
    let when = prop_oneof![1 => Just(0u8), 1 => 1..12u8];
    let row = (0..16u8, 0..6u8, when, 0..6u8, 0..4u8);
    (row, any::<bool>(), 0..10u8).prop_map(|(row, shared_insurer, validity)| PairRulePlan {
        operands: row.0,
        level: row.1,
        when: row.2,
        effect: row.3,
        codes: row.4,
        shared_insurer,
        validity,
    })
}

fn step() -> impl Strategy<Value = StepPlan> {
    let import = prop::bool::weighted(0.15);
    (import, 0..6u8, 0..4u8, 0..40u8, 0..40u8, vec(line(), 1..=4)).prop_map(
        |(import, contract, insurer, received, invoice, lines)| StepPlan {
            import,
            contract,
            insurer,
            received,
            invoice,
            lines,
        },
    )
}

fn line() -> impl Strategy<Value = LinePlan> {
    let what = (prop::bool::weighted(0.3), 0..6u8, any::<bool>(), 0..9u8);
    let about = (0..4u8, 0..9u8, 0..16u8, 0..32u8, 0..6u8);
    let written = (0..8u8, 0..16u8, 0..16u8, 0..24u8, 0..16u8);
    (what, about, written, 0..24u8).prop_map(|(what, about, written, found)| LinePlan {
        is_credit: what.0,
        contract: what.1,
        second_code: what.2,
        period: what.3,
        group: about.0,
        person: about.1,
        activities: about.2,
        participants: about.3,
        meeting: about.4,
        amount: written.0,
        on_behalf_of: written.1,
        reference: written.2,
        twist: written.3,
        target: written.4,
        found,
    })
}
