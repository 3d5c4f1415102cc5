//! Debit or credit, and the original that only a credit names.

use crate::{facts::LineFacts, rejection::Rejection};

/// A credit names the debit that it reverses (0651).
///
/// Source: Vektis COD954, code 0651; AW319 v1.4, field 0432. Example: a credit without
/// original_reference.
#[must_use]
pub fn check_credit(facts: &LineFacts<'_>) -> Option<Rejection> {
    let original = &facts.line.original_reference;
    original
        .is_none()
        .then(|| Rejection::new("direction", &["0651"]))
}

/// A debit names no original (0631): a line that does is probably a credit, sent with the wrong
/// indicator.
///
/// Source: Vektis COD954, code 0631; COD043-VEKT. Example: a debit with original_reference.
#[must_use]
pub fn check_debit(facts: &LineFacts<'_>) -> Option<Rejection> {
    let original = facts.line.original_reference.as_ref()?;
    Some(Rejection::new("direction", &["0631"]).with("original_reference", original))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check};

    #[test]
    fn credits_and_only_credits_name_an_original() {
        check(
            World::c1,
            &[
                ("scenario 27", |it| it.credit(Some("R0")), ""),
                ("scenario 28", |it| it.credit(None), "0651"),
                (
                    "debit",
                    |it| it.line().original_reference = Some("R0".into()),
                    "0631",
                ),
            ],
        );
    }
}
