//! The insurer is in the UZOVI register.

use crate::{rejection::Rejection, rules::Received};

/// The insurer's number is in use on the first day of the declaration period (0018).
///
/// Source: Vektis COD954, code 0018; UZOVI register. Example: 1234 is not in the register.
#[must_use]
pub fn check(received: &Received<'_>) -> Option<Rejection> {
    let declaration = received.declaration;
    let first = declaration.declaration_period.first;
    let insurer = declaration
        .insurer_uzovi
        .uzovi()
        .and_then(|uzovi| received.reference.insurers.get(&uzovi));
    let in_use = insurer.is_some_and(|insurer| insurer.validity.contains(first));
    (!in_use).then(|| {
        Rejection::new("insurer_known", &["0018"]).with("insurer_uzovi", &declaration.insurer_uzovi)
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check, uzovi, validity};

    fn until(world: &mut World, until: &str) {
        let insurer = world
            .reference
            .insurers
            .get_mut(&uzovi("7095"))
            .expect("it is registered");
        insurer.validity = validity("2020-01-01", Some(until));
    }

    #[test]
    fn insurer_is_registered_and_in_use() {
        check(
            World::c1,
            &[
                (
                    "scenario 10",
                    |it| it.declaration.insurer_uzovi = "1234".into(),
                    "message 0018",
                ),
                (
                    "malformed",
                    |it| it.declaration.insurer_uzovi = "70951".into(),
                    "message 0018",
                ),
                ("ended", |it| until(it, "2024-07-01"), "message 0018"),
                ("ends", |it| until(it, "2024-07-02"), ""),
            ],
        );
    }
}
