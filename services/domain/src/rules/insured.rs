//! The insured person: there where the prestatie is about one, and nowhere else.

use crate::{
    declaration::{InsuredIdentity, Meeting},
    facts::LineFacts,
    reference::Condition,
    rejection::Rejection,
};

/// A BSN that is given passes the elfproef, and one is given where the prestatie is about an
/// insured person (0435).
///
/// Needs the prestatie. Where no insured person may be named, that is the finding instead.
/// Source: Vektis COD954, code 0435; elfproef. Example: 123456789.
#[must_use]
pub fn check_bsn(facts: &LineFacts<'_>) -> Option<Rejection> {
    let conditions = &facts.prestatie?.conditions;
    if conditions.contains(&Condition::NoInsured) {
        return None;
    }
    let is_wrong = match &facts.line.insured {
        None => conditions.contains(&Condition::InsuredRequired),
        Some(insured) => insured.identity == InsuredIdentity::Malformed,
    };
    is_wrong.then(|| Rejection::new("insured", &["0435"]))
}

/// The insured person was in care on the first day of the period, where the prestatie is billed for
/// those (0698).
///
/// Needs prestatie, period and an insured person. Source: Regeling integrale bekostiging
/// multidisciplinaire zorgverlening, BWBR0032741, 4.5. Example: in care from 2024-07-02, and the
/// third quarter is billed.
#[must_use]
pub fn check_in_care_on_first_day(facts: &LineFacts<'_>) -> Option<Rejection> {
    let is_bound = (facts.prestatie?.conditions).contains(&Condition::InCareOnFirstDay);
    let (period, insured) = (facts.period?, facts.line.insured.as_ref()?);
    let in_care = insured
        .in_care_since
        .is_some_and(|day| day <= period.first());
    (is_bound && !in_care)
        .then(|| Rejection::new("insured", &["0698"]).with("first", period.first()))
}

/// A group-bound prestatie has no insured person and no meeting about one (0698 with GDC-INDIV).
///
/// Needs the prestatie. Source: 004_edc514e4c29859bf.txt, article 1 under b ("niet zijnde voor
/// individuele verzekerden"). Example: a BSN under group-bound coordination, even a valid one.
#[must_use]
pub fn check_no_insured(facts: &LineFacts<'_>) -> Option<Rejection> {
    let is_bound = (facts.prestatie?.conditions).contains(&Condition::NoInsured);
    let line = facts.line;
    let is_individual = line.insured.is_some() || line.meeting == Some(Meeting::Individual);
    (is_bound && is_individual).then(|| Rejection::new("insured", &["0698", "GDC-INDIV"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{World, check, day, insured, malformed};

    #[test]
    fn group_bound_prestatie_names_nobody() {
        check(
            World::c1,
            &[
                (
                    "scenario 43",
                    |it| it.line().meeting = Some(Meeting::Individual),
                    "0698 GDC-INDIV",
                ),
                (
                    "scenario 44",
                    |it| it.line().insured = Some(insured()),
                    "0698 GDC-INDIV",
                ),
                (
                    "scenario 44, no BSN",
                    |it| it.line().insured = Some(malformed()),
                    "0698 GDC-INDIV",
                ),
                (
                    "scenario 41",
                    |it| it.line().meeting = Some(Meeting::Hybrid),
                    "",
                ),
            ],
        );
    }

    #[test]
    fn client_bound_prestatie_names_who_was_in_care() {
        check(
            World::c5,
            &[
                ("scenario 53", |_| (), ""),
                (
                    "scenario 54",
                    |it| it.insured().in_care_since = Some(day("2024-07-02")),
                    "0698",
                ),
                (
                    "scenario 56",
                    |it| it.line().insured = Some(malformed()),
                    "0435",
                ),
                ("nobody", |it| it.line().insured = None, "0435"),
                (
                    "since when is unknown",
                    |it| it.insured().in_care_since = None,
                    "0698",
                ),
            ],
        );
    }
}
