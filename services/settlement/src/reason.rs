//! Every reason that the API gives for an error or a refused claim.
//!
//! Each error carries exactly one `ErrorInfo` with one of these; a reason keeps its name and code for ever.

use std::collections::HashMap;

use tonic::{Code, Status, body::Body, codegen::http::Response};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Domain of every `ErrorInfo` of this service.
pub const DOMAIN: &str = "samenloop.settlement.v1";

macro_rules! reasons {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $code:ident;)+) => {
        /// Why something was refused.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Reason {
            $($(#[$doc])+ $variant,)+
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The canonical code of an error with this reason.
            #[must_use]
            pub fn code(self) -> Code {
                match self { $(Self::$variant => Code::$code),+ }
            }
        }
    };
}

reasons! {
    /// A claim id is not "sequence.version.line_number" of its own fields.
    ClaimIdInvalid = "CLAIM_ID_INVALID", InvalidArgument;
    /// A message id is no UUID.
    MessageIdInvalid = "MESSAGE_ID_INVALID", InvalidArgument;
    /// An insurer is no UZOVI number.
    InsurerInvalid = "INSURER_INVALID", InvalidArgument;
    /// A payee is no AGB code.
    PayeeInvalid = "PAYEE_INVALID", InvalidArgument;
    /// An amount is over 10^13 cents either way.
    AmountOutOfBounds = "AMOUNT_OUT_OF_BOUNDS", InvalidArgument;
    /// A key is not distinct names with 10,000 basis points in all, or has too many.
    KeyInvalid = "KEY_INVALID", InvalidArgument;
    /// The domains of a claim leave nothing to the Zvw, which alone is settled here.
    DomainInvalid = "DOMAIN_INVALID", InvalidArgument;
    /// A claim is attributed to too many or repeated classes, to none with months, or has a reason not to be as well.
    AttributionInvalid = "ATTRIBUTION_INVALID", InvalidArgument;
    /// A claim is bigger than the limit named.
    ClaimTooLarge = "CLAIM_TOO_LARGE", InvalidArgument;
    /// The claim is recorded with other content.
    ClaimDiffers = "CLAIM_DIFFERS", AlreadyExists;
    /// Its message was recorded without it.
    MessageRecorded = "MESSAGE_RECORDED", FailedPrecondition;
    /// A claim is negative and credits none, or credits one and is not negative.
    SignInvalid = "SIGN_INVALID", InvalidArgument;
    /// The claim that a credit reverses is not recorded.
    OriginalUnknown = "ORIGINAL_UNKNOWN", FailedPrecondition;
    /// A credit has another payee than its original, or other parts.
    CreditDiffers = "CREDIT_DIFFERS", FailedPrecondition;
    /// The claim that a credit reverses is credited by another one.
    OriginalCredited = "ORIGINAL_CREDITED", FailedPrecondition;
    /// Another claim of its message was refused; they are recorded together or not at all.
    MessageRefused = "MESSAGE_REFUSED", FailedPrecondition;
    /// A request has more claims than the limit named.
    BatchTooLarge = "BATCH_TOO_LARGE", InvalidArgument;
    /// A message of the stream cannot be read, or is over the limit of bytes.
    RequestUnreadable = "REQUEST_UNREADABLE", InvalidArgument;
    /// The name of a subscription is not 1 to 64 characters.
    SubscriptionInvalid = "SUBSCRIPTION_INVALID", InvalidArgument;
    /// The token is not of this stream, or events after it are no longer sent: take a snapshot. `earliest` is the
    /// token that the oldest event still sent comes after.
    ResumeTokenExpired = "RESUME_TOKEN_EXPIRED", OutOfRange;
    /// The books have more rows than the limit named: read them in pages.
    SnapshotTooLarge = "SNAPSHOT_TOO_LARGE", FailedPrecondition;
    /// There is no such claim.
    ClaimUnknown = "CLAIM_UNKNOWN", NotFound;
    /// The caller did not say who it is, or not in a way that is known.
    CallerUnknown = "CALLER_UNKNOWN", Unauthenticated;
    /// The caller is known and may not do this.
    CallerNotAllowed = "CALLER_NOT_ALLOWED", PermissionDenied;
    /// A request id is no UUID.
    RequestIdInvalid = "REQUEST_ID_INVALID", InvalidArgument;
    /// The request id was used for other content; `number` is the entry that it made.
    RequestIdReused = "REQUEST_ID_REUSED", AlreadyExists;
    /// The name of a budget, a contract or a payment is not 1 to 64 of A-Z a-z 0-9 . _ -
    NameInvalid = "NAME_INVALID", InvalidArgument;
    /// A day is no ISO 8601 date, or a period ends before it begins.
    DayInvalid = "DAY_INVALID", InvalidArgument;
    /// An amount has the wrong sign, is nothing, or is not what the parts named add up to.
    AmountInvalid = "AMOUNT_INVALID", InvalidArgument;
    /// A note is missing, or longer than the limit named.
    NoteInvalid = "NOTE_INVALID", InvalidArgument;
    /// A correction has no kind, or a result where it has an amount.
    CorrectionInvalid = "CORRECTION_INVALID", InvalidArgument;
    /// There is no such budget.
    BudgetUnknown = "BUDGET_UNKNOWN", NotFound;
    /// The budget is recorded already.
    BudgetRecorded = "BUDGET_RECORDED", AlreadyExists;
    /// A budget has more terms than the limit named.
    TermsTooMany = "TERMS_TOO_MANY", InvalidArgument;
    /// The period does not follow the last one that was closed, which ended on `last`.
    PeriodClosed = "PERIOD_CLOSED", FailedPrecondition;
    /// The period has not ended yet, or its payments would be due before it ends.
    PeriodOpen = "PERIOD_OPEN", FailedPrecondition;
    /// More payees have something due than the limit named.
    RunTooLarge = "RUN_TOO_LARGE", FailedPrecondition;
    /// There is no such payment run, or it pays nothing.
    RunUnknown = "RUN_UNKNOWN", NotFound;
    /// There is no such payment.
    PaymentUnknown = "PAYMENT_UNKNOWN", NotFound;
    /// The payment is in `state`, from which this step is none.
    PaymentStateWrong = "PAYMENT_STATE_WRONG", FailedPrecondition;
    /// The payment is of `cents`.
    PaymentAmountDiffers = "PAYMENT_AMOUNT_DIFFERS", FailedPrecondition;
    /// A payee of the run has no account in the request.
    AccountMissing = "ACCOUNT_MISSING", InvalidArgument;
    /// An account is no IBAN, or its name is not 1 to 70 characters that banks take.
    AccountInvalid = "ACCOUNT_INVALID", InvalidArgument;
    /// There is no such entry.
    EntryUnknown = "ENTRY_UNKNOWN", NotFound;
    /// An entry of this kind is not undone, or not by this method.
    EntryNotReversible = "ENTRY_NOT_REVERSIBLE", FailedPrecondition;
    /// The entry is undone already.
    EntryReversed = "ENTRY_REVERSED", FailedPrecondition;
    /// The page token is none of this request.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", InvalidArgument;
    /// The client did not take what was sent for too long.
    ClientTooSlow = "CLIENT_TOO_SLOW", ResourceExhausted;
    /// As many streams are open as the service serves.
    StreamsExhausted = "STREAMS_EXHAUSTED", ResourceExhausted;
    /// The service is stopping: try again elsewhere or later.
    ShuttingDown = "SHUTTING_DOWN", Unavailable;
    /// There was no answer in the time that the caller gave: try again, under the same request id.
    DeadlineExceeded = "DEADLINE_EXCEEDED", DeadlineExceeded;
    /// The database cannot be reached: try again.
    StoreUnavailable = "STORE_UNAVAILABLE", Unavailable;
    /// The service broke one of its own promises; operators are told.
    Internal = "INTERNAL", Internal;
    /// The request was refused before any method saw it: unknown, malformed, too big or too late.
    RequestRefused = "REQUEST_REFUSED", Unknown;
}

impl Reason {
    /// The error, with `message` for people and `metadata` for programs. Neither may hold personal data.
    #[must_use]
    pub fn status(self, message: impl Into<String>, metadata: &[(&str, String)]) -> Status {
        self.status_with(self.code(), message, metadata)
    }

    fn status_with(
        self,
        code: Code,
        message: impl Into<String>,
        metadata: &[(&str, String)],
    ) -> Status {
        let metadata = metadata
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        let metadata: HashMap<_, _> = metadata.collect();
        let details = ErrorDetails::with_error_info(self.name(), DOMAIN, metadata);
        Status::with_error_details(code, message, details)
    }
}

/// Gives an error that the transport made the `ErrorInfo` that every error has.
#[must_use]
pub(crate) fn with_reason(response: Response<Body>) -> Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != Code::Ok && status.details().is_empty() => {
            Reason::RequestRefused
                .status_with(status.code(), status.message(), &[])
                .into_http()
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_is_one_error_info_with_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for reason in Reason::ALL {
            let status = reason.status("for people", &[("key", "value".to_owned())]);
            assert_eq!(status.code(), reason.code());
            let details = status.get_error_details_vec();
            assert_eq!(details.len(), 1, "{reason:?}");
            let info = status.get_details_error_info().expect("it is an ErrorInfo");
            assert_eq!(
                (info.reason.as_str(), info.domain.as_str()),
                (reason.name(), DOMAIN)
            );
            let is_upper_snake = reason
                .name()
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b == b'_');
            assert!(
                is_upper_snake && reason.name().len() <= 63,
                "{}",
                reason.name()
            );
            assert!(
                names.insert(reason.name()),
                "{} is there twice",
                reason.name()
            );
        }
    }
}
