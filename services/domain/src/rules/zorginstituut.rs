//! Forms of ADZ are declared directly only once they are assessed and described.

use crate::{facts::LineFacts, reference::Condition, rejection::Rejection};

/// The Zorginstituut confirmed the link with insured care, and an NZa description is in force, by
/// the begin date (0698 with GDC-ADZ-TOETS).
///
/// Needs prestatie and period. Source: 000_5970900bc1799c66.txt, conditions for direct billing by a
/// third party. Example: a new form of ADZ that was agreed with an insurer and never assessed.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    let (entry, period) = (facts.prestatie?, facts.period?);
    let is_bound = (entry.conditions).contains(&Condition::ZorginstituutAssessment);
    let is_past = |day: Option<crate::period::Day>| day.is_some_and(|day| day <= period.first());
    let is_ready = is_past(entry.zorginstituut_assessed_on) && is_past(entry.nza_described_on);
    (is_bound && !is_ready).then(|| Rejection::new("zorginstituut", &["0698", "GDC-ADZ-TOETS"]))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check, day};

    #[test]
    fn adz_is_assessed_and_described_before_it_is_declared() {
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
            ],
        );
    }
}
