//! Forms of ADZ are declared directly only once they are assessed, described and agreed.

use crate::{
    facts::LineFacts,
    period::Day,
    reference::{Condition, Unit},
    rejection::Rejection,
};

/// By the begin date the Zorginstituut confirmed the link with insured care, an NZa description is in force, insurers
/// had proposed a key together if it is a lumpsum, and the agreement confirms the other conditions (0698 with
/// GDC-ADZ-TOETS).
///
/// Needs prestatie and period; what the agreement confirms also needs the contract prestatie. The finding names the
/// first condition that is missing. Source: 000_5970900bc1799c66.txt, conditions for direct billing by a third party
/// and the key for risk equalisation. Example: a new form of ADZ that was agreed with an insurer and never assessed.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    let (entry, period) = (facts.prestatie?, facts.period?);
    if !entry
        .conditions
        .contains(&Condition::ZorginstituutAssessment)
    {
        return None;
    }
    let needs_key = entry.unit == Unit::Lumpsum;
    let dated = [
        ("zorginstituut_assessed_on", entry.zorginstituut_assessed_on),
        ("nza_described_on", entry.nza_described_on),
        (
            "key_proposed_on",
            if needs_key {
                entry.key_proposed_on
            } else {
                Some(period.first())
            },
        ),
    ];
    let missing = dated.into_iter().chain(confirmed(facts)).find(|(_, day)| {
        let is_past = day.is_some_and(|day| day <= period.first());
        !is_past
    });
    let (name, _) = missing?;
    Some(Rejection::new("zorginstituut", &["0698", "GDC-ADZ-TOETS"]).with("missing", name))
}

/// What the agreement confirms, and when; nothing while it is not known to cover the prestatie.
fn confirmed(facts: &LineFacts<'_>) -> Vec<(&'static str, Option<Day>)> {
    let Some((_, contract)) = facts
        .contract
        .filter(|_| facts.contract_prestatie.is_some())
    else {
        return Vec::new();
    };
    let adz = contract.adz;
    vec![
        ("direct_support_on", adz.map(|it| it.direct_support_on)),
        (
            "benefits_own_insured_on",
            adz.map(|it| it.benefits_own_insured_on),
        ),
        (
            "quality_with_provider_on",
            adz.map(|it| it.quality_with_provider_on),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::{
        reference::Unit,
        rules::fixture::{World, check, day},
    };

    #[test]
    fn adz_is_assessed_described_and_confirmed_before_it_is_declared() {
        check(
            World::c4,
            &[
                (
                    "scenario 50",
                    |it| it.entry("ADZP1").zorginstituut_assessed_on = None,
                    "0698 GDC-ADZ-TOETS",
                ),
                (
                    "not described",
                    |it| it.entry("ADZP1").nza_described_on = None,
                    "0698 GDC-ADZ-TOETS",
                ),
                (
                    "later",
                    |it| it.entry("ADZP1").nza_described_on = Some(day("2024-01-02")),
                    "0698 GDC-ADZ-TOETS",
                ),
                (
                    "that day",
                    |it| it.entry("ADZP1").nza_described_on = Some(day("2024-01-01")),
                    "",
                ),
                (
                    "not confirmed",
                    |it| it.contract("C4").adz = None,
                    "0698 GDC-ADZ-TOETS",
                ),
                (
                    "confirmed later",
                    |it| {
                        let adz = it.contract("C4").adz.as_mut().expect("it is confirmed");
                        adz.quality_with_provider_on = day("2024-01-02");
                    },
                    "0698 GDC-ADZ-TOETS",
                ),
                (
                    "lumpsum without a key of insurers together",
                    |it| {
                        it.entry("ADZP1").unit = Unit::Lumpsum;
                        it.line().quantity = 1;
                        it.line_amounts("25", 2_500, 2_500);
                    },
                    "0698 GDC-ADZ-TOETS",
                ),
                (
                    "lumpsum with one",
                    |it| {
                        it.entry("ADZP1").unit = Unit::Lumpsum;
                        it.entry("ADZP1").key_proposed_on = Some(day("2023-06-01"));
                        it.line().quantity = 1;
                        it.line_amounts("25", 2_500, 2_500);
                    },
                    "",
                ),
            ],
        );
    }
}
