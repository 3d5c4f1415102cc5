//! The prestatie: list and code exist, and may be used for this line.

use crate::{
    facts::LineFacts,
    period::Standing,
    reference::{CatalogueEntry, Condition},
    rejection::Rejection,
};

/// List and code exist, may go to an insurer, and are in force (0581 with 9334, 9544, 9336, 9338,
/// 0582, 0698, 0698 with GDC-EXP); one finding, the first that holds.
///
/// A prestatie without dates is not in force, and one that is paid outside declarations is a rival only.
/// The window of an experiment is judged over the whole period and before the code, whose dates are
/// judged on the begin date; dates need the period. Source: Vektis COD954 and COD367;
/// 004_edc514e4c29859bf.txt, articles 3 and 5 (from 2024-05-01 to 2029-05-01 at the latest).
/// Example: 2024-04-01 .. 2024-06-30 begins before the experiment.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    find(facts).err()
}

/// The prestatie of the line.
///
/// # Errors
/// Why it is not to be declared.
pub fn find<'a>(facts: &LineFacts<'a>) -> Result<&'a CatalogueEntry, Rejection> {
    let key = &facts.line.prestatie;
    let found = |codes: &[&str]| {
        Rejection::new("prestatie", codes)
            .with("list", &key.list)
            .with("code", &key.code)
    };
    let Some(list) = facts.reference.code_lists.get(&key.list) else {
        return Err(found(&["0581", "9334"]));
    };
    if !list.to_insurers {
        return Err(found(&["9544"]));
    }
    let first = facts.period.map(|period| period.first());
    if let Some(code) = first.and_then(|day| code_of(list.validity.standing(day))) {
        return Err(found(&[code]));
    }
    let Some(entry) = facts.reference.catalogue.get(key) else {
        return Err(found(&["0582"]));
    };
    let outside = |window: crate::period::Validity| {
        facts
            .period
            .is_some_and(|period| !window.contains_all(period))
    };
    if entry.experiment.is_some_and(outside) {
        return Err(found(&["0698", "GDC-EXP"]));
    }
    let is_rival_only = entry.conditions.contains(&Condition::RivalOnly);
    let Some(validity) = entry.validity.filter(|_| !is_rival_only) else {
        return Err(found(&["0698"]));
    };
    match first.and_then(|day| code_of(validity.standing(day))) {
        Some(code) => Err(found(&[code])),
        None => Ok(entry),
    }
}

fn code_of(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::NotYet => Some("9336"),
        Standing::InForce => None,
        Standing::Expired => Some("9338"),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        declaration::PrestatieKey,
        reference::Condition,
        rules::fixture::{World, check, day, validity},
    };

    fn named(world: &mut World, list: &str, code: &str) {
        world.line().prestatie = PrestatieKey::new(list, code);
    }

    fn late(world: &mut World, first: &str, last: &str) {
        world.receive(last);
        world.performed(first, last);
    }

    #[test]
    fn prestatie_exists_and_is_in_force() {
        check(
            World::c1,
            &[
                (
                    "scenario 16",
                    |it| it.performed("2024-04-01", "2024-06-30"),
                    "0698 GDC-EXP",
                ),
                (
                    "scenario 17",
                    |it| late(it, "2029-04-01", "2029-06-30"),
                    "0698 GDC-EXP",
                ),
                (
                    "last day",
                    |it| late(it, "2029-05-01", "2029-05-01"),
                    "0698 GDC-EXP",
                ),
                (
                    "day before",
                    |it| late(it, "2029-04-30", "2029-04-30"),
                    "8022",
                ),
                ("scenario 18", |it| named(it, "990", "BDSS9"), "0582"),
                ("scenario 19", |it| named(it, "123", "BDSS1"), "0581 9334"),
                ("scenario 20", |it| named(it, "999", "BDSS1"), "9544"),
                ("scenario 66", |it| named(it, "990", "ZCCB1"), "0698"),
                (
                    "paid outside declarations",
                    |it| {
                        it.entry("BDSS1").conditions.insert(Condition::RivalOnly);
                    },
                    "0698",
                ),
                (
                    "reversed period",
                    |it| it.performed("2024-06-30", "2024-04-01"),
                    "8007",
                ),
            ],
        );
    }

    #[test]
    fn code_and_list_are_judged_on_the_begin_date_and_expire_on_their_last_day_excluded() {
        check(
            World::c1,
            &[
                (
                    "not yet",
                    |it| it.entry("BDSS1").validity = Some(validity("2024-07-02", None)),
                    "9336",
                ),
                (
                    "begins",
                    |it| it.entry("BDSS1").validity = Some(validity("2024-07-01", None)),
                    "",
                ),
                (
                    "expired",
                    |it| {
                        it.entry("BDSS1").validity =
                            Some(validity("2024-01-01", Some("2024-07-01")))
                    },
                    "9338",
                ),
                (
                    "expires",
                    |it| {
                        it.entry("BDSS1").validity =
                            Some(validity("2024-01-01", Some("2024-07-02")))
                    },
                    "",
                ),
                (
                    "list",
                    |it| it.list("990").validity.until = Some(day("2024-07-01")),
                    "9338",
                ),
                (
                    "before its code",
                    |it| {
                        it.entry("BDSS1").validity = Some(validity("2025-01-01", None));
                        it.performed("2024-04-01", "2024-06-30");
                    },
                    "0698 GDC-EXP",
                ),
            ],
        );
    }
}
