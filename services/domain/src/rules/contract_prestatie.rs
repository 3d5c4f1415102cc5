//! The prestatie under the contract.

use crate::{
    facts::LineFacts,
    reference::{ContractPrestatie, ContractTerm},
    rejection::Rejection,
};

/// The contract covers the prestatie, with one tarief and key for the whole period (8060).
///
/// Needs contract and period. There is no pro rata over two spans of a contract.
/// Source: Vektis COD954, code 8060. Example: ADZ under a contract for group-bound coordination.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    find(facts).and_then(Result::err)
}

/// What was agreed for the prestatie of the line, or why nothing was; `None` while a fact is
/// missing.
#[must_use]
pub fn find<'a>(
    facts: &LineFacts<'a>,
) -> Option<Result<(&'a ContractPrestatie, &'a ContractTerm), Rejection>> {
    let ((id, contract), period) = (facts.contract?, facts.period?);
    let agreed = contract.prestaties.get(&facts.line.prestatie);
    let found = agreed.and_then(|agreed| {
        let covering = agreed.terms.iter().find(|term| term.period.covers(period));
        covering.map(|term| (agreed, term))
    });
    let missing = || Rejection::new("contract_prestatie", &["8060"]).with("contract_id", id);
    Some(found.ok_or_else(missing))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check, key, period};

    #[test]
    fn contract_covers_the_prestatie_over_the_whole_period() {
        check(
            World::c1,
            &[
                (
                    "scenario 12",
                    |it| it.line().prestatie = key("ADZP1"),
                    "8060",
                ),
                (
                    "two spans",
                    |it| {
                        let terms = it.terms();
                        let mut second = terms[0].clone();
                        terms[0].period = period("2024-07-01", "2024-08-31");
                        second.period = period("2024-09-01", "2025-06-30");
                        terms.push(second);
                    },
                    "8060",
                ),
                (
                    "silences content and tarief",
                    |it| {
                        it.line().prestatie = key("ADZP1");
                        it.line().patient_group_id = None;
                        it.line().activities.push("A99".into());
                        it.line_amounts("1", 100, 100);
                    },
                    "8060",
                ),
            ],
        );
    }
}
