//! Why a call failed, with the reason that the service gives.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The settlement service, or the way to it, is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be used as configured.
    #[error("the settlement service cannot be reached as configured: {0}")]
    Configuration(String),
    /// It gave no answer in time; whether the call had an effect is not known.
    #[error("the settlement service did not answer within {0:?}")]
    TimedOut(Duration),
    /// It ended the call.
    #[error("the settlement service answered {code:?} {reason}: {message}")]
    Refused {
        /// Canonical code.
        code: Code,
        /// Of the reason registry of the API; empty where the network failed.
        reason: String,
        /// For people.
        message: String,
        /// For programs, by key.
        metadata: Vec<(String, String)>,
    },
    /// It answered what the contract does not allow.
    #[error("the settlement service broke the contract: {0}")]
    Contract(String),
}

impl ClientError {
    /// Whether trying again may help. Calls may all be made again: they have their effect once.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::Refused { code, .. } => matches!(
                code,
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Aborted
                    | Code::Cancelled
                    | Code::Internal
                    | Code::Unknown
            ),
            Self::Configuration(_) | Self::Contract(_) => false,
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let info = status.get_details_error_info();
        let (reason, mut metadata) = info.map_or_else(Default::default, |info| {
            (info.reason, info.metadata.into_iter().collect::<Vec<_>>())
        });
        metadata.sort();
        Self::Refused {
            code: status.code(),
            reason,
            message: status.message().to_owned(),
            metadata,
        }
    }
}

pub(crate) fn broken(what: impl Into<String>) -> ClientError {
    ClientError::Contract(what.into())
}
