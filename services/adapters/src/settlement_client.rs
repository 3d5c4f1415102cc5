//! The client of the settlement service: what detection's relay submits with, and what a subscriber reads with.
//!
//! Nothing is tried again here: the relay knows what may be sent twice.

use std::time::Duration;

use samenloop_domain::identifiers::Uzovi;
use samenloop_proto::settlement::v1::{
    self as wire, Claim, ClaimReceipt, SubscribeResponse, settlement_client,
};
use tokio::time::timeout;
use tonic::{
    Code, Request, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt as _;

use crate::fault_plan::{FaultPlan, FaultPoint, InjectedFault};

/// Claims in one request; more are sent as several requests of one stream.
pub const CLAIMS_PER_REQUEST_MAX: usize = 4096;

/// Bytes of one message either way.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

const CONNECT_MAX: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach the service.
#[derive(Clone)]
pub struct ClientOptions {
    /// Certificates; absent: without TLS, which the service takes on loopback only.
    pub tls: Option<ClientTls>,
    /// Token for the header `authorization`, where the service asks for one.
    pub bearer: Option<String>,
    /// How long a call, or the wait for an answer to a request of a stream, may take.
    pub timeout: Duration,
    /// Faults at [`FaultPoint::OnSend`]; empty in production.
    pub faults: FaultPlan,
}

/// Certificates of a client, as PEM.
#[derive(Clone)]
pub struct ClientTls {
    /// Authorities that sign the certificate of the service.
    pub authorities: Vec<u8>,
    /// Our chain.
    pub certificate: Vec<u8>,
    /// Our private key.
    pub private_key: Vec<u8>,
    /// Name in the certificate of the service, where it is not that of the URL.
    pub server_name: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            tls: None,
            bearer: None,
            timeout: Duration::from_secs(30),
            faults: FaultPlan::default(),
        }
    }
}

/// The world is wrong: the settlement service.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
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
    /// A test asked for it.
    #[error(transparent)]
    Injected(#[from] InjectedFault),
}

impl SettlementError {
    /// Whether trying again may help. Calls may all be made again: they have their effect once.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut(_) | Self::Injected(_) => true,
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

impl From<Status> for SettlementError {
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

/// A client; clones share the connection, which is made when it is first needed and again when it is lost.
#[derive(Clone)]
pub struct SettlementClient {
    client: settlement_client::SettlementClient<Channel>,
    health: HealthClient<Channel>,
    authorization: Option<MetadataValue<Ascii>>,
    timeout: Duration,
    faults: FaultPlan,
}

impl std::fmt::Debug for SettlementClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettlementClient")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl SettlementClient {
    /// A client of the service at `endpoint`, as `http://127.0.0.1:7300` or `https://...`. Call it within a runtime.
    ///
    /// # Errors
    /// [`SettlementError::Configuration`]; whether the service answers is not tried.
    pub fn new(endpoint: &str, options: ClientOptions) -> Result<Self, SettlementError> {
        let wrong = |e: &dyn std::fmt::Display| SettlementError::Configuration(e.to_string());
        let mut endpoint = Endpoint::from_shared(endpoint.to_owned())
            .map_err(|e| wrong(&e))?
            .connect_timeout(CONNECT_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT);
        if let Some(tls) = &options.tls {
            let config = client_tls(tls);
            endpoint = endpoint.tls_config(config).map_err(|e| wrong(&e))?;
        }
        Self::over(endpoint.connect_lazy(), options)
    }

    /// A client over a channel that is made elsewhere; certificates of the options are not looked at.
    ///
    /// # Errors
    /// [`SettlementError::Configuration`].
    pub fn over(channel: Channel, options: ClientOptions) -> Result<Self, SettlementError> {
        let wrong = |e: &dyn std::fmt::Display| SettlementError::Configuration(e.to_string());
        let authorization = options.bearer.as_ref().map(|bearer| {
            let mut value: MetadataValue<Ascii> = format!("Bearer {bearer}")
                .parse()
                .map_err(|_| wrong(&"the bearer token is not printable ASCII"))?;
            value.set_sensitive(true);
            Ok::<_, SettlementError>(value)
        });
        let health = HealthClient::new(channel.clone());
        let client = settlement_client::SettlementClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self {
            client,
            health,
            authorization: authorization.transpose()?,
            timeout: options.timeout,
            faults: options.faults,
        })
    }

    /// Whether the service answers, and can reach its store.
    pub async fn is_serving(&self) -> bool {
        let mut health = self.health.clone();
        let asked = health.check(self.request(HealthCheckRequest::default()));
        let answer = self.within(asked).await;
        answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }

    /// Submits claims and waits until all are on disk or refused; receipts in their order.
    ///
    /// The claims of one version of a message stand together in `claims`, and stay together on the wire.
    ///
    /// # Errors
    /// [`SettlementError`]; any number of the claims may have been recorded, and may be submitted again.
    pub async fn submit(&self, claims: Vec<Claim>) -> Result<Vec<ClaimReceipt>, SettlementError> {
        self.faults.pass(FaultPoint::OnSend)?;
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let sent: Vec<String> = claims.iter().map(|claim| claim.claim_id.clone()).collect();
        let requests = requests(claims);
        let expected = requests.len();
        let stream = self.request(tokio_stream::iter(requests));
        let mut client = self.client.clone();
        let mut responses = self
            .within(client.submit_claims(stream))
            .await?
            .into_inner();
        let mut receipts = Vec::with_capacity(sent.len());
        for _ in 0..expected {
            let response = self.within(responses.message()).await?;
            let response = response.ok_or_else(|| broken("a request was left unanswered"))?;
            receipts.extend(response.receipts);
        }
        let answered = receipts.iter().map(|receipt| &receipt.claim_id);
        if !answered.eq(&sent) {
            return Err(broken("receipts are not those of the claims"));
        }
        Ok(receipts)
    }

    /// Opens the stream of `insurer`: from `token` on, or from where the subscription was acknowledged.
    ///
    /// # Errors
    /// [`SettlementError`]; reason `RESUME_TOKEN_EXPIRED` where the token is none of this stream.
    pub async fn subscribe(
        &self,
        insurer: Uzovi,
        subscription: &str,
        token: Option<String>,
    ) -> Result<SettlementStream, SettlementError> {
        let request = self.request(wire::SubscribeRequest {
            insurer_uzovi: insurer.as_str().to_owned(),
            subscription: subscription.to_owned(),
            resume_token: token.unwrap_or_default(),
            events_max: 0,
        });
        let mut client = self.client.clone();
        let responses = self.within(client.subscribe(request)).await?.into_inner();
        Ok(SettlementStream { responses })
    }

    /// Stores that `subscription` has processed everything up to `token`. Gives the position kept.
    ///
    /// # Errors
    /// [`SettlementError`].
    pub async fn acknowledge(
        &self,
        insurer: Uzovi,
        subscription: &str,
        token: &str,
    ) -> Result<u64, SettlementError> {
        let request = self.request(wire::AcknowledgeRequest {
            insurer_uzovi: insurer.as_str().to_owned(),
            subscription: subscription.to_owned(),
            token: token.to_owned(),
        });
        let mut client = self.client.clone();
        let response = self.within(client.acknowledge(request)).await?;
        Ok(response.into_inner().position)
    }

    /// A claim as it was recorded, if there is one.
    ///
    /// # Errors
    /// [`SettlementError`].
    pub async fn get_claim(&self, claim_id: &str) -> Result<Option<Claim>, SettlementError> {
        let request = self.request(wire::GetClaimRequest {
            claim_id: claim_id.to_owned(),
        });
        let mut client = self.client.clone();
        match self.within(client.get_claim(request)).await {
            Ok(claim) => Ok(Some(claim.into_inner())),
            Err(SettlementError::Refused {
                code: Code::NotFound,
                ..
            }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            let headers = request.metadata_mut();
            headers.insert("authorization", authorization.clone());
        }
        request
    }

    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, SettlementError> {
        let answer = timeout(self.timeout, call).await;
        Ok(answer.map_err(|_| SettlementError::TimedOut(self.timeout))??)
    }
}

/// What an insurer is sent. Dropping it ends the stream.
pub struct SettlementStream {
    responses: Streaming<SubscribeResponse>,
}

impl SettlementStream {
    /// The next response; none when the service ended the stream, for which it gave a goaway before. May wait for
    /// ever, but for the signs of life that the service sends.
    ///
    /// # Errors
    /// [`SettlementError`] where the stream broke; resume with the last token.
    pub async fn next(&mut self) -> Result<Option<SubscribeResponse>, SettlementError> {
        Ok(self.responses.message().await?)
    }
}

/// Requests of at most [`CLAIMS_PER_REQUEST_MAX`] claims that keep the claims of a message together.
fn requests(claims: Vec<Claim>) -> Vec<wire::SubmitClaimsRequest> {
    let unit = |claim: &Claim| (claim.sequence, claim.version);
    let mut requests: Vec<wire::SubmitClaimsRequest> = Vec::new();
    for message in claims.chunk_by(|a, b| unit(a) == unit(b)) {
        match requests.last_mut() {
            Some(last) if last.claims.len() + message.len() <= CLAIMS_PER_REQUEST_MAX => {
                last.claims.extend_from_slice(message);
            }
            _ => requests.push(wire::SubmitClaimsRequest {
                claims: message.to_vec(),
            }),
        }
    }
    requests
}

pub(crate) fn client_tls(tls: &ClientTls) -> ClientTlsConfig {
    let config = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&tls.authorities))
        .identity(Identity::from_pem(&tls.certificate, &tls.private_key))
        .timeout(CONNECT_MAX);
    match &tls.server_name {
        Some(name) => config.domain_name(name),
        None => config,
    }
}

fn broken(what: &str) -> SettlementError {
    SettlementError::Contract(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_service_that_is_away_is_tried_again_later() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        let client = SettlementClient::new(&endpoint, ClientOptions::default()).unwrap();
        let refused = client.get_claim("1.1.1").await.unwrap_err();
        assert!(refused.is_transient(), "{refused}");
    }

    #[test]
    fn claims_of_a_message_stay_in_one_request() {
        let claims_of = |(sequence, count): (u64, usize)| {
            let claim = Claim {
                sequence,
                ..Claim::default()
            };
            vec![claim; count]
        };
        let claims: Vec<Claim> = [(1, 2000), (2, 2000), (3, 97), (4, 1), (5, 4096), (6, 1)]
            .into_iter()
            .flat_map(claims_of)
            .collect();
        let requests = requests(claims);
        let sizes: Vec<usize> = requests
            .iter()
            .map(|request| request.claims.len())
            .collect();
        assert_eq!(sizes, [4000, 98, 4096, 1]);
    }
}
