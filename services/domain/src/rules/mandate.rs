//! Who may send and declare for whom.

use crate::{
    identifiers::{Agb, AgbText},
    rejection::Rejection,
    rules::{Received, provider_known},
};

/// The party sends and declares under its own AGB code, or one that gave it a mandate for the
/// receipt date (8023).
///
/// The sender's code counts too, because a service bureau is paid under it.
/// Needs sender and declarant to be registered. Source: Vektis COD954, code 8023.
/// Example: a service bureau declares for a practice whose mandate ended last month.
#[must_use]
pub fn check(received: &Received<'_>) -> Option<Rejection> {
    let declaration = received.declaration;
    let fields: [(&str, &AgbText); 2] = [
        ("sender_agb", &declaration.sender_agb),
        ("declarant_agb", &declaration.declarant_agb),
    ];
    let (field, text) = fields.into_iter().find(|(_, text)| {
        provider_known::registered(received.reference, text)
            .is_some_and(|agb| !speaks_for(received, agb))
    })?;
    Some(Rejection::new("mandate", &["8023"]).with(field, text))
}

fn speaks_for(received: &Received<'_>, agb: Agb) -> bool {
    let Some(party) = received.reference.parties.get(received.party) else {
        return false;
    };
    let has_mandate = || {
        received.reference.mandates.iter().any(|mandate| {
            mandate.party == *received.party
                && mandate.declarant == agb
                && mandate.validity.contains(received.received_on)
        })
    };
    party.agb == Some(agb) || has_mandate()
}

#[cfg(test)]
mod tests {
    use crate::{
        reference::Mandate,
        rules::fixture::{B1, World, Z1, agb, check, validity},
    };

    /// The service bureau sends for Z1, with a mandate until the day given.
    fn bureau(world: &mut World, until: &str) {
        world.party = "b1".into();
        world.declaration.sender_agb = B1.into();
        world.reference.mandates = vec![Mandate {
            party: "b1".into(),
            declarant: agb(Z1),
            validity: validity("2024-01-01", Some(until)),
        }];
    }

    #[test]
    fn party_declares_for_itself_and_its_mandates() {
        check(
            World::c1,
            &[
                ("mandate", |it| bureau(it, "2024-10-16"), ""),
                (
                    "ended on the receipt date",
                    |it| bureau(it, "2024-10-15"),
                    "message 8023",
                ),
                ("no mandate", |it| it.party = "b1".into(), "message 8023"),
                (
                    "unknown party",
                    |it| it.party = "nobody".into(),
                    "message 8023",
                ),
                (
                    "sender of another",
                    |it| it.declaration.sender_agb = B1.into(),
                    "message 8023",
                ),
                (
                    "unknown declarant",
                    |it| it.declaration.declarant_agb = "53539999".into(),
                    "message 0017",
                ),
            ],
        );
    }
}
