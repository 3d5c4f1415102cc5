//! Who takes part in a line, and whether they may.

use crate::{
    declaration::Participant, facts::LineFacts, identifiers::AgbText, period::Period,
    rejection::Rejection, rules::provider_known::is_registered,
};

/// The declarant is of a kind that may declare the prestatie (0562).
///
/// Needs declarant and prestatie. Source: Vektis COD954, code 0562; AGB register, kinds of
/// provider. Example: a pharmacy declares chain care.
#[must_use]
pub fn check_kind(facts: &LineFacts<'_>) -> Option<Rejection> {
    let (declarant, kinds) = (facts.declarant?, &facts.prestatie?.provider_kinds);
    (!kinds.is_empty() && !kinds.contains(declarant.provider_kind())).then(|| {
        Rejection::new("providers", &["0562"]).with("provider_kind", declarant.provider_kind())
    })
}

/// Participants, and the provider on whose behalf is billed, are registered on every day of the
/// period (0562).
///
/// A code that nobody has would never meet another line. Needs the period for the dates.
/// Source: Vektis COD954, code 0562; AGB register. Example: participant 01000000.
#[must_use]
pub fn check_participants(facts: &LineFacts<'_>) -> Option<Rejection> {
    let participants = facts.line.participants.iter();
    let wrong = participants
        .filter_map(|participant| match participant {
            Participant::Provider(text) => Some(text),
            Participant::ThirdParty { .. } => None,
        })
        .chain(&facts.line.on_behalf_of)
        .find(|text| !may_take_part(facts, text, facts.period))?;
    Some(Rejection::new("providers", &["0562"]).with("agb", wrong))
}

fn may_take_part(facts: &LineFacts<'_>, text: &AgbText, period: Option<Period>) -> bool {
    match (text.agb(), period) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(agb), Some(period)) => is_registered(facts.reference, agb, period),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        declaration::Participant,
        rules::fixture::{H1, World, agb, check, validity},
    };

    fn with(world: &mut World, code: &str) {
        world
            .line()
            .participants
            .push(Participant::Provider(code.into()));
    }

    #[test]
    fn providers_are_registered_and_of_the_kind() {
        check(
            World::c1,
            &[
                ("malformed", |it| with(it, "01000000"), "0562"),
                ("unknown", |it| with(it, "01999999"), "0562"),
                (
                    "ended",
                    |it| {
                        drop(
                            it.reference
                                .providers
                                .insert(agb(H1), vec![validity("2020-01-01", Some("2024-09-30"))]),
                        )
                    },
                    "0562",
                ),
                (
                    "municipality",
                    |it| {
                        it.line().participants.push(Participant::ThirdParty {
                            name: "Gemeente".into(),
                            kind: "municipality".into(),
                        })
                    },
                    "",
                ),
                (
                    "on behalf",
                    |it| it.line().on_behalf_of = Some("x".into()),
                    "0562",
                ),
                (
                    "kind",
                    |it| it.entry("BDSS1").provider_kinds = ["01".into()].into(),
                    "0562",
                ),
                (
                    "of the kind",
                    |it| it.entry("BDSS1").provider_kinds = ["01".into(), "53".into()].into(),
                    "",
                ),
            ],
        );
    }
}
