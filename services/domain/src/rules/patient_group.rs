//! The patient group of group-bound prestaties.

use crate::{facts::LineFacts, reference::Condition, rejection::Rejection};

/// The patient group is one of the contract, and is named where the prestatie is about a group
/// (8072 with GDC-GROEP).
///
/// A group that is named must be one of the contract in any case: lines are told apart by their
/// subject, so a group made up would let a line pass beside its own duplicate. Needs prestatie and
/// contract prestatie. Source: 002_eb0531d2b212ba40.txt, toelichting article 4 (needed for the risk
/// equalisation). Example: G9, and the contract is for G1.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    let conditions = &facts.prestatie?.conditions;
    facts.contract_prestatie?;
    let (_, contract) = facts.contract?;
    let found = || Rejection::new("patient_group", &["8072", "GDC-GROEP"]);
    match &facts.line.patient_group_id {
        None => conditions.contains(&Condition::PatientGroup).then(found),
        Some(group) => {
            (!contract.groups.contains(group)).then(|| found().with("patient_group_id", group))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        reference::Condition,
        rules::fixture::{World, check},
    };

    #[test]
    fn patient_group_is_one_of_the_contract() {
        check(
            World::c1,
            &[
                (
                    "scenario 45",
                    |it| it.line().patient_group_id = None,
                    "8072 GDC-GROEP",
                ),
                (
                    "scenario 45, other",
                    |it| it.line().patient_group_id = Some("G9".into()),
                    "8072 GDC-GROEP",
                ),
                (
                    "not needed",
                    |it| {
                        it.entry("BDSS1")
                            .conditions
                            .remove(&Condition::PatientGroup);
                        it.line().patient_group_id = None;
                    },
                    "",
                ),
                (
                    "not needed, made up",
                    |it| {
                        it.entry("BDSS1")
                            .conditions
                            .remove(&Condition::PatientGroup);
                        it.line().patient_group_id = Some("G9".into());
                    },
                    "8072 GDC-GROEP",
                ),
            ],
        );
    }
}
