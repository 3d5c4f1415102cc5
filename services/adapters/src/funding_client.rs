//! The client of detection's answers to questions asked beforehand: what the gateway asks with.

use std::time::Duration;

use samenloop_domain::identifiers::PartyId;
use samenloop_proto::funding::v1::{
    Body, CheckFundingRequest, CheckFundingResponse, check_funding_request::Asked, funding_client,
};
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

use crate::{
    broker::BODY_BYTES_MAX,
    settlement_client::{ClientTls, client_tls},
};

/// Domain of every `ErrorInfo` of this API.
pub const DOMAIN: &str = "samenloop.funding.v1";

/// Metadata that names the party that would send the declaration.
pub const PARTY_METADATA: &str = "x-party";

/// How long a question may take; the server gives up before.
const TIMEOUT: Duration = Duration::from_secs(35);

const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Asks; clones share the connection, which is made when it is first needed and again when it is lost.
#[derive(Clone, Debug)]
pub struct FundingClient {
    client: funding_client::FundingClient<Channel>,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FundingError {
    /// It cannot be used as configured.
    #[error("the funding check cannot be reached as configured: {0}")]
    Configuration(String),
    /// What was asked is no declaration: paths and problems, and how many there are at least.
    #[error("it is no declaration: {0:?}")]
    Malformed(Vec<(String, String)>),
    /// As many questions as are answered at once are being answered.
    #[error("the funding check is busy: {0}")]
    Busy(String),
    /// It does not answer; asking again may help.
    #[error("the funding check does not answer: {0}")]
    Unavailable(String),
    /// It refuses to answer.
    #[error("the funding check refuses to answer: {0}")]
    Refused(String),
}

impl FundingClient {
    /// A client of the service at `endpoint`. Call it within a runtime.
    ///
    /// # Errors
    /// [`FundingError::Configuration`]; whether the service answers is not tried.
    pub fn new(endpoint: &str, tls: Option<&ClientTls>) -> Result<Self, FundingError> {
        let wrong = |e: &dyn std::fmt::Display| FundingError::Configuration(e.to_string());
        let mut endpoint = Endpoint::from_shared(endpoint.to_owned())
            .map_err(|e| wrong(&e))?
            .connect_timeout(CONNECT_MAX)
            .timeout(TIMEOUT)
            .tcp_nodelay(true);
        if let Some(tls) = tls {
            endpoint = endpoint
                .tls_config(client_tls(tls))
                .map_err(|e| wrong(&e))?;
        }
        let client = funding_client::FundingClient::new(endpoint.connect_lazy())
            .max_encoding_message_size(BODY_BYTES_MAX + 4096);
        Ok(Self { client })
    }

    /// Asks what would become of a body if `party` sent it.
    ///
    /// # Errors
    /// [`FundingError`].
    pub async fn check(
        &self,
        party: &PartyId,
        content_type: &str,
        content: Vec<u8>,
    ) -> Result<CheckFundingResponse, FundingError> {
        let content_type = content_type.to_owned();
        let body = Body {
            content_type,
            content,
        };
        let mut request = Request::new(CheckFundingRequest {
            asked: Some(Asked::Body(body)),
        });
        let party = party.as_str().parse().map_err(|_| {
            FundingError::Refused("the name of the party is not printable ASCII".to_owned())
        })?;
        request.metadata_mut().insert(PARTY_METADATA, party);
        let mut client = self.client.clone();
        Ok(client.check_funding(request).await?.into_inner())
    }
}

impl From<Status> for FundingError {
    fn from(status: Status) -> Self {
        let text = format!("{:?}: {}", status.code(), status.message());
        match status.code() {
            Code::InvalidArgument => match status.get_details_bad_request() {
                Some(faults) => Self::Malformed(
                    (faults.field_violations.into_iter())
                        .map(|fault| (fault.field, fault.description))
                        .collect(),
                ),
                None => Self::Refused(text),
            },
            Code::ResourceExhausted => Self::Busy(text),
            Code::Unauthenticated | Code::PermissionDenied | Code::Unimplemented => {
                Self::Refused(text)
            }
            _ => Self::Unavailable(text),
        }
    }
}
