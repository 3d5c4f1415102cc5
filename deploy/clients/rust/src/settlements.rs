//! The calls of the settlement service. Nothing is tried again here: the caller knows what may be sent twice.

use std::time::Duration;

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

use crate::{ClientError, error::broken, follow::Follower};

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
        }
    }
}

/// A client; clones share the connection, which is made when it is first needed and again when it is lost.
#[derive(Clone)]
pub struct Settlements {
    client: settlement_client::SettlementClient<Channel>,
    health: HealthClient<Channel>,
    authorization: Option<MetadataValue<Ascii>>,
    timeout: Duration,
}

impl std::fmt::Debug for Settlements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settlements")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Settlements {
    /// A client of the service at `endpoint`, as `http://127.0.0.1:7300` or `https://...`. Call it within a runtime.
    ///
    /// # Errors
    /// [`ClientError::Configuration`]; whether the service answers is not tried.
    pub fn new(endpoint: &str, options: ClientOptions) -> Result<Self, ClientError> {
        let wrong = |e: &dyn std::fmt::Display| ClientError::Configuration(e.to_string());
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
    /// [`ClientError::Configuration`].
    pub fn over(channel: Channel, options: ClientOptions) -> Result<Self, ClientError> {
        let wrong = |e: &dyn std::fmt::Display| ClientError::Configuration(e.to_string());
        let authorization = options.bearer.as_ref().map(|bearer| {
            let mut value: MetadataValue<Ascii> = format!("Bearer {bearer}")
                .parse()
                .map_err(|_| wrong(&"the bearer token is not printable ASCII"))?;
            value.set_sensitive(true);
            Ok::<_, ClientError>(value)
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
    /// [`ClientError`]; any number of the claims may have been recorded, and may be submitted again.
    pub async fn submit(&self, claims: Vec<Claim>) -> Result<Vec<ClaimReceipt>, ClientError> {
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
    /// [`ClientError`]; reason `RESUME_TOKEN_EXPIRED` where the token is none of this stream.
    pub async fn subscribe(
        &self,
        insurer: &str,
        subscription: &str,
        token: Option<String>,
    ) -> Result<SettlementStream, ClientError> {
        let request = self.request(wire::SubscribeRequest {
            insurer_uzovi: insurer.to_owned(),
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
    /// [`ClientError`].
    pub async fn acknowledge(
        &self,
        insurer: &str,
        subscription: &str,
        token: &str,
    ) -> Result<u64, ClientError> {
        let request = self.request(wire::AcknowledgeRequest {
            insurer_uzovi: insurer.to_owned(),
            subscription: subscription.to_owned(),
            token: token.to_owned(),
        });
        let mut client = self.client.clone();
        let response = self.within(client.acknowledge(request)).await?;
        Ok(response.into_inner().position)
    }

    /// Every event of `insurer` after `token`, once and in order: a stream that is cut is resumed after the last one.
    /// Without a token it begins after what `subscription` has acknowledged.
    #[must_use]
    pub fn follow(&self, insurer: &str, subscription: &str, token: Option<String>) -> Follower {
        Follower::new(self.clone(), insurer, subscription, token)
    }

    /// Tells that a payment was made; the same request id with the same content has its effect once.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn confirm_payment(
        &self,
        confirmed: wire::ConfirmPaymentRequest,
    ) -> Result<wire::Entry, ClientError> {
        let mut client = self.client.clone();
        let answer = self.within(client.confirm_payment(self.request(confirmed)));
        Ok(answer.await?.into_inner())
    }

    /// The other calls of the service, on the same connection, as its contract has them.
    #[must_use]
    pub fn api(&self) -> settlement_client::SettlementClient<Channel> {
        self.client.clone()
    }

    /// A claim as it was recorded, if there is one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get_claim(&self, claim_id: &str) -> Result<Option<Claim>, ClientError> {
        let request = self.request(wire::GetClaimRequest {
            claim_id: claim_id.to_owned(),
        });
        let mut client = self.client.clone();
        match self.within(client.get_claim(request)).await {
            Ok(claim) => Ok(Some(claim.into_inner())),
            Err(ClientError::Refused {
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
    ) -> Result<T, ClientError> {
        let answer = timeout(self.timeout, call).await;
        Ok(answer.map_err(|_| ClientError::TimedOut(self.timeout))??)
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
    /// [`ClientError`] where the stream broke; resume with the last token.
    pub async fn next(&mut self) -> Result<Option<SubscribeResponse>, ClientError> {
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

/// The certificates as a channel takes them.
#[must_use]
pub fn client_tls(tls: &ClientTls) -> ClientTlsConfig {
    let config = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&tls.authorities))
        .identity(Identity::from_pem(&tls.certificate, &tls.private_key))
        .timeout(CONNECT_MAX);
    match &tls.server_name {
        Some(name) => config.domain_name(name),
        None => config,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_service_that_is_away_is_tried_again_later() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        let client = Settlements::new(&endpoint, ClientOptions::default()).unwrap();
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
