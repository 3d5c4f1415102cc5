//! The invoice that a message is, or is a part of.

use crate::{declaration::Declaration, rejection::Rejection, rules::Received};

/// Longest invoice number.
pub const INVOICE_NUMBER_MAX: usize = 35;

/// Punctuation of the SEPA character set.
const SEPA_PUNCTUATION: &[u8] = b"/-?:().,'+ ";

/// The invoice number is of the SEPA set and does not begin with a space, and its part is one of
/// its parts (0030).
///
/// Whether it was used before is not known here.
/// Source: Vektis COD954, codes 0030 and 9797; AW319 v1.4, field 0116. Example: part 3 of 2.
#[must_use]
pub fn check(received: &Received<'_>) -> Option<Rejection> {
    let declaration = received.declaration;
    let is_part = (1..=declaration.invoice_parts).contains(&declaration.invoice_part);
    (!is_part || !is_well_formed(declaration)).then(|| {
        Rejection::new("invoice", &["0030"])
            .with("invoice_number", &declaration.invoice_number)
            .with("invoice_part", declaration.invoice_part)
            .with("invoice_parts", declaration.invoice_parts)
    })
}

fn is_well_formed(declaration: &Declaration) -> bool {
    let number = declaration.invoice_number.as_str();
    (1..=INVOICE_NUMBER_MAX).contains(&number.len())
        && !number.starts_with(' ')
        && number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || SEPA_PUNCTUATION.contains(&byte))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check};

    #[test]
    fn invoice_has_a_number_and_a_part_of_its_parts() {
        check(
            World::c1,
            &[
                (
                    "sepa",
                    |it| it.declaration.invoice_number = "2024/07 (a)".into(),
                    "",
                ),
                (
                    "empty",
                    |it| it.declaration.invoice_number = "".into(),
                    "message 0030",
                ),
                (
                    "space",
                    |it| it.declaration.invoice_number = " 1".into(),
                    "message 0030",
                ),
                (
                    "not sepa",
                    |it| it.declaration.invoice_number = "2024_é".into(),
                    "message 0030",
                ),
                (
                    "long",
                    |it| it.declaration.invoice_number = "1".repeat(36).as_str().into(),
                    "message 0030",
                ),
                (
                    "part 0",
                    |it| it.declaration.invoice_part = 0,
                    "message 0030",
                ),
                (
                    "part 3 of 2",
                    |it| (it.declaration.invoice_part, it.declaration.invoice_parts) = (3, 2),
                    "message 0030",
                ),
            ],
        );
    }
}
