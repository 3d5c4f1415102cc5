//! Sender and declarant are in the AGB register, the declarant on every day that it declares.

use crate::{
    facts::LineFacts,
    identifiers::{Agb, AgbText},
    period::{Period, Validity},
    reference::Reference,
    rejection::Rejection,
    rules::Received,
};

/// CL0015-VEKT: institution, practice, professional.
const DECLARANT_KINDS: [&str; 3] = ["1", "2", "3"];

/// The sender is in the register (0017).
///
/// Source: Vektis COD954, code 0017; AGB register. Example: 00123456 is no AGB code.
#[must_use]
pub fn check_sender(received: &Received<'_>) -> Option<Rejection> {
    check_known(received, "sender_agb", &received.declaration.sender_agb)
}

/// The declarant is in the register, and is an institution, a practice or a professional (0017).
///
/// Source: Vektis COD954, code 0017; CL0015-VEKT. Example: 53539999 was never registered.
#[must_use]
pub fn check_declarant(received: &Received<'_>) -> Option<Rejection> {
    let declaration = received.declaration;
    let found = check_known(received, "declarant_agb", &declaration.declarant_agb);
    if found.is_some() {
        return found;
    }
    let kind = declaration.declarant_kind.as_str();
    (!DECLARANT_KINDS.contains(&kind))
        .then(|| Rejection::new("provider_known", &["0017"]).with("declarant_kind", kind))
}

fn check_known(received: &Received<'_>, field: &str, text: &AgbText) -> Option<Rejection> {
    let known = registered(received.reference, text);
    known
        .is_none()
        .then(|| Rejection::new("provider_known", &["0017"]).with(field, text))
}

/// The declarant is registered on every day of the period (0017).
///
/// Needs declarant and period. Source: Vektis COD954, code 0017; AGB register: dates of
/// registration. Example: a registration ended on 2024-08-31, and the third quarter is declared.
#[must_use]
pub fn check_whole_period(facts: &LineFacts<'_>) -> Option<Rejection> {
    let (declarant, period) = (facts.declarant?, facts.period?);
    (!is_registered(facts.reference, declarant, period)).then(|| {
        Rejection::new("provider_known", &["0017"])
            .with("declarant_agb", declarant)
            .with("first", period.first())
            .with("last", period.last())
    })
}

/// The code that `text` writes, if it is or was in the register.
#[must_use]
pub fn registered(reference: &Reference, text: &AgbText) -> Option<Agb> {
    text.agb()
        .filter(|agb| reference.providers.contains_key(agb))
}

/// Whether `agb` is registered on every day of `period`; a registration may follow another without
/// a gap.
#[must_use]
pub fn is_registered(reference: &Reference, agb: Agb, period: Period) -> bool {
    let Some(registrations) = reference.providers.get(&agb) else {
        return false;
    };
    let mut day = period.first();
    loop {
        let in_force = registrations.iter().find(|it| it.contains(day));
        match in_force {
            None => return false,
            Some(Validity { until: None, .. }) => return true,
            Some(Validity {
                until: Some(until), ..
            }) => {
                if *until > period.last() {
                    return true;
                }
                day = *until;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, Z1, agb, check, validity};

    fn register(world: &mut World, spans: &[(&str, Option<&str>)]) {
        let spans = spans.iter().map(|(from, until)| validity(from, *until));
        world.reference.providers.insert(agb(Z1), spans.collect());
    }

    #[test]
    fn sender_and_declarant_are_registered() {
        check(
            World::c1,
            &[
                (
                    "scenario 8",
                    |it| it.declaration.declarant_agb = "53539999".into(),
                    "message 0017",
                ),
                (
                    "scenario 9",
                    |it| it.declaration.declarant_agb = "00123456".into(),
                    "message 0017",
                ),
                (
                    "sender",
                    |it| it.declaration.sender_agb = "53539999".into(),
                    "message 0017",
                ),
                (
                    "kind",
                    |it| it.declaration.declarant_kind = "9".into(),
                    "message 0017",
                ),
            ],
        );
    }

    #[test]
    fn declarant_is_registered_on_every_day() {
        check(
            World::c1,
            &[
                (
                    "ended",
                    |it| register(it, &[("2020-01-01", Some("2024-09-01"))]),
                    "0017",
                ),
                (
                    "last day",
                    |it| register(it, &[("2020-01-01", Some("2024-09-30"))]),
                    "0017",
                ),
                (
                    "day after",
                    |it| register(it, &[("2020-01-01", Some("2024-10-01"))]),
                    "",
                ),
                ("began", |it| register(it, &[("2024-07-02", None)]), "0017"),
                (
                    "again",
                    |it| {
                        register(
                            it,
                            &[("2024-08-01", None), ("2020-01-01", Some("2024-08-01"))],
                        )
                    },
                    "",
                ),
                (
                    "gap",
                    |it| {
                        register(
                            it,
                            &[("2024-08-02", None), ("2020-01-01", Some("2024-08-01"))],
                        )
                    },
                    "0017",
                ),
            ],
        );
    }
}
