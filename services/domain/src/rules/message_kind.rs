//! What kind of message it is: version, environment, currency.

use crate::{
    declaration::MessageKind, rejection::Rejection, rules::Received, validation::Environment,
};

/// The version of the message contract that is read.
pub const SCHEMA_VERSION: &str = "1.0";

/// The only currency.
pub const CURRENCY: &str = "EUR";

/// The version of the message is supported (0011).
///
/// Source: Vektis COD954, code 0011. Example: version 2.0 came before anybody agreed on it.
#[must_use]
pub fn check_version(received: &Received<'_>) -> Option<Rejection> {
    let version = &received.declaration.schema_version;
    (version != SCHEMA_VERSION).then(|| {
        Rejection::new("message_kind", &["0011"])
            .with("schema_version", version)
            .with("supported", SCHEMA_VERSION)
    })
}

/// Test messages go to a test environment, and only they (8028).
///
/// Source: Vektis COD954, code 8028; COD856-VEKT. Example: a test message on production is never
/// settled.
#[must_use]
pub fn check_kind(received: &Received<'_>) -> Option<Rejection> {
    let fits = match received.environment {
        Environment::Production => received.declaration.kind == MessageKind::Production,
        Environment::Test => received.declaration.kind == MessageKind::Test,
    };
    (!fits).then(|| Rejection::new("message_kind", &["8028"]))
}

/// Amounts are in euro (0031).
///
/// Source: Vektis COD954, code 0031; COD363-ISO. Example: USD.
#[must_use]
pub fn check_currency(received: &Received<'_>) -> Option<Rejection> {
    let currency = &received.declaration.currency;
    (currency != CURRENCY)
        .then(|| Rejection::new("message_kind", &["0031"]).with("currency", currency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{World, check};

    #[test]
    fn message_is_of_this_version_environment_and_currency() {
        check(
            World::c1,
            &[
                (
                    "version",
                    |it| it.declaration.schema_version = "2.0".into(),
                    "message 0011",
                ),
                (
                    "test",
                    |it| it.declaration.kind = MessageKind::Test,
                    "message 8028",
                ),
                (
                    "test environment",
                    |it| it.environment = Environment::Test,
                    "message 8028",
                ),
                (
                    "currency",
                    |it| it.declaration.currency = "USD".into(),
                    "message 0031",
                ),
            ],
        );
    }
}
