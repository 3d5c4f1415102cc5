//! Who is paid.

use crate::{rejection::Rejection, rules::Received};

/// The payee code is one of the list, and a service bureau is paid only as the sender (8029).
///
/// Source: Vektis COD954, code 8029; COD833-VEKT. Example: 01, sent by the practice itself.
#[must_use]
pub fn check(received: &Received<'_>) -> Option<Rejection> {
    let declaration = received.declaration;
    let fits = match declaration.pay_to.as_str() {
        "01" => {
            // A malformed sender is reported as such.
            let sender = declaration.sender_agb.agb();
            sender.is_none_or(|agb| agb.is_service_bureau())
        }
        "02" | "03" | "04" => true,
        _ => false,
    };
    (!fits).then(|| Rejection::new("payee", &["8029"]).with("pay_to", &declaration.pay_to))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check};

    #[test]
    fn payee_is_of_the_list_and_a_service_bureau_is_the_sender() {
        check(
            World::c1,
            &[
                ("professional", |it| it.declaration.pay_to = "02".into(), ""),
                (
                    "no bureau",
                    |it| it.declaration.pay_to = "01".into(),
                    "message 8029",
                ),
                (
                    "not of the list",
                    |it| it.declaration.pay_to = "05".into(),
                    "message 8029",
                ),
            ],
        );
    }
}
