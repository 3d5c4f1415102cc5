//! Reviews that stand: what a person decided of one pair of contracts, for the rest of a contract year.
//!
//! Care of a partner of a cooperation meets the cooperation line after line, and each pair would ask a person the
//! same question: the same contracts, the same rule. So a person who accepts or refuses a held line may let the
//! decision stand. From then on a line under one of the two contracts beside a line under the other is no longer
//! held by that rule: after an acceptance the rule allows it, after a refusal it excludes it. Each outcome names
//! the entry by which it was decided.
//!
//! What stands is narrow:
//! - It is about the two contracts, one version of one rule, and the days from the decided pair's until the end of
//!   the contract year of the decided line: years of a contract are counted from the first day of its term. The day
//!   of a pair is the later of both begin dates, as for the rule itself.
//! - It is about a rule that asks a person, or that the policy of the insurer lets ask. An exclusion that is only
//!   doubtful, because the rival is held or begins later, is asked every time: what is decided then may not hold
//!   once the rival is.
//! - A refusal does not exclude beside a rival that is held, nor a line that begins before its rival: a person looks.
//! - A person who decides a held line decides anew: what was refused before does not bind them.
//! - An acceptance that stands pays lines that nobody will look at, so two persons agree to it, whatever the amount.
//!
//! Source: 002_eb0531d2b212ba40.txt, chapter 4: whether two prestaties pay for the same is judged per cooperation,
//! and a cooperation is what a contract describes (toelichting article 3). Example: wijkverpleging of W under its
//! own contract meets BDSS of W's network in March; a person accepts it for the year, and the line of April is
//! awarded at once.

use std::collections::BTreeMap;

use crate::{
    coverage::Coverage,
    double_funding::day_of_judgement,
    identifiers::{ContractId, Sequence},
    period::{Day, Period, months_after},
    reference::RuleHead,
};

/// Two contracts, whichever is named first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContractPair {
    /// The one that sorts first.
    pub contract: ContractId,
    /// The other; the same where lines of one contract meet.
    pub other: ContractId,
}

impl ContractPair {
    /// The pair of both.
    #[must_use]
    pub fn new(a: ContractId, b: ContractId) -> Self {
        if a <= b {
            Self {
                contract: a,
                other: b,
            }
        } else {
            Self {
                contract: b,
                other: a,
            }
        }
    }

    /// The contracts of two lines, where both have one.
    #[must_use]
    pub fn of(a: &Coverage, b: &Coverage) -> Option<Self> {
        let contracts = a.contract_id.clone().zip(b.contract_id.clone());
        contracts.map(|(a, b)| Self::new(a, b))
    }
}

/// What stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StandingChoice {
    /// Both are paid.
    Accept,
    /// The one that comes later is not.
    Refuse,
}

/// One decision that stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandingReview {
    /// Entry of the log by which it was decided.
    pub decided: Sequence,
    /// Of which contracts.
    pub pair: ContractPair,
    /// Id of the rule that asked.
    pub rule: Box<str>,
    /// Version of the rule.
    pub rule_version: u32,
    /// What was decided.
    pub choice: StandingChoice,
    /// Days of judgement on which it stands.
    pub period: Period,
}

/// Decisions that stand, by contracts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StandingReviews(BTreeMap<ContractPair, Vec<StandingReview>>);

impl StandingReviews {
    /// Nothing stands.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Adds one.
    pub fn add(&mut self, standing: StandingReview) {
        let of_pair = self.0.entry(standing.pair.clone()).or_default();
        of_pair.push(standing);
    }

    /// Ends what the entry `decided` let stand.
    pub fn end(&mut self, decided: Sequence) {
        for of_pair in self.0.values_mut() {
            of_pair.retain(|it| it.decided != decided);
        }
    }

    /// Keeps those of which one contract is wanted.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&ContractId) -> bool) -> Self {
        let pairs = self.0.iter();
        let pairs = pairs.filter(|(pair, _)| wanted(&pair.contract) || wanted(&pair.other));
        Self(pairs.map(|(pair, of)| (pair.clone(), of.clone())).collect())
    }

    /// What stands between two lines for `rule`: the latest decision that covers their day.
    #[must_use]
    pub fn between(&self, a: &Coverage, b: &Coverage, rule: &RuleHead) -> Option<&StandingReview> {
        let of_pair = self.0.get(&ContractPair::of(a, b)?)?;
        let day = day_of_judgement(a, b);
        let covers = |it: &&StandingReview| {
            it.rule == rule.id && it.rule_version == rule.version && it.period.contains(day)
        };
        of_pair.iter().filter(covers).max_by_key(|it| it.decided)
    }
}

/// From `day` until the end of its contract year, or of the term; `None` outside of the term.
#[must_use]
pub fn rest_of_contract_year(term: Period, day: Day) -> Option<Period> {
    if !term.contains(day) {
        return None;
    }
    let begins = (1..).map(|year| months_after(term.first(), 12 * year));
    let next = begins.into_iter().find(|begin| *begin > day)?;
    let last = next.yesterday().ok()?;
    Period::new(day, last.min(term.last()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{day, period};

    #[test]
    fn contract_year_is_counted_from_the_first_day_of_the_term() {
        let term = period("2024-07-01", "2026-09-30");
        for (from, expected) in [
            ("2024-06-30", None),
            ("2024-07-01", Some("2025-06-30")),
            ("2025-06-30", Some("2025-06-30")),
            ("2025-07-01", Some("2026-06-30")),
            ("2026-07-15", Some("2026-09-30")),
            ("2026-10-01", None),
        ] {
            let rest = rest_of_contract_year(term, day(from));
            assert_eq!(rest, expected.map(|last| period(from, last)), "{from}");
        }
    }
}
