//! What was done: within the contract, and no regular care.

use crate::{facts::LineFacts, reference::Condition, rejection::Rejection};

/// Activity that is care of patients, which the regular tarieven pay for; a test code like all
/// codes of activities.
pub const REGULAR_CARE: &str = "ZORG";

/// Activities are those of the contract (8010); a contract that names none does not bound them.
///
/// Needs the contract prestatie. Regular care has its own reason.
/// Source: Vektis COD954, code 8010. Example: A99 under a contract for A12 and A30.
#[must_use]
pub fn check_in_contract(facts: &LineFacts<'_>) -> Option<Rejection> {
    facts.contract_prestatie?;
    let (_, contract) = facts.contract?;
    if contract.activities.is_empty() {
        return None;
    }
    let mut activities = facts.line.activities.iter();
    let outside = activities.find(|activity| {
        activity.as_str() != REGULAR_CARE && !contract.activities.contains(*activity)
    })?;
    Some(Rejection::new("activities", &["8010"]).with("activity", outside))
}

/// A prestatie for cooperation names what was done, and none of it is regular care (0698).
///
/// Needs the prestatie. Source: 002_eb0531d2b212ba40.txt, toelichting articles 3 and 4 (delivery of
/// regular care is not paid through it). Example: consults billed as coordination.
#[must_use]
pub fn check_regular_care(facts: &LineFacts<'_>) -> Option<Rejection> {
    let is_bound = facts
        .prestatie?
        .conditions
        .contains(&Condition::NoRegularCare);
    let activities = &facts.line.activities;
    let is_care = activities.iter().any(|it| it.as_str() == REGULAR_CARE);
    (is_bound && (is_care || activities.is_empty()))
        .then(|| Rejection::new("activities", &["0698"]))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check};

    #[test]
    fn activities_are_of_the_contract_and_no_regular_care() {
        check(
            World::c1,
            &[
                (
                    "scenario 48",
                    |it| it.line().activities = vec!["ZORG".into()],
                    "0698",
                ),
                (
                    "beside others",
                    |it| it.line().activities.push("ZORG".into()),
                    "0698",
                ),
                ("none", |it| it.line().activities.clear(), "0698"),
                (
                    "other",
                    |it| it.line().activities.push("A99".into()),
                    "8010",
                ),
                ("unbounded", |it| it.contract("C1").activities.clear(), ""),
            ],
        );
    }
}
