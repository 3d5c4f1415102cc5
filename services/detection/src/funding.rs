//! The gRPC server of questions asked beforehand (`samenloop.funding.v1`): who may ask, how much, and how errors are
//! told. What would be decided is asked of [`FundingCheck`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use samenloop_adapters::{
    broker::BODY_BYTES_MAX,
    clock::Clock,
    funding_client::{DOMAIN, PARTY_METADATA},
    pseudonym::PseudonymKeys,
    server_tls::{ServerTls, caller_names},
    shutdown::Shutdown,
    wire::{self, Malformed, declaration, outcome},
};
use samenloop_domain::{declaration::Declaration, identifiers::PartyId};
use samenloop_proto::funding::v1::{
    CheckFundingRequest, CheckFundingResponse,
    check_funding_request::Asked as Sent,
    funding_server::{Funding, FundingServer},
};
use tokio::{net::TcpListener, sync::Semaphore};
use tonic::{
    Code, Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::check::{Asked, CheckError, FundingCheck};

/// Questions answered at once; who asks then is told to come again. Each reads the register, which deciding needs too.
pub const CHECKS_MAX: usize = 8;

/// How long an answer may take.
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a request: the largest body of a queue, and what is around it.
const REQUEST_BYTES_MAX: usize = BODY_BYTES_MAX + 4096;

/// Calls on one connection at once.
const CONNECTION_CALLS_MAX: u32 = 64;

/// How often a connection is asked whether it is alive, and how long it may take to say so.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How callers are told apart.
#[derive(Clone)]
pub enum Callers {
    /// Served on loopback only: the party that a request names is believed.
    Loopback,
    /// Mutual TLS: the common name or a DNS name of the client's certificate says who calls.
    Certificates {
        /// Ours.
        tls: ServerTls,
        /// Who each name is, from the table of parties.
        names: BTreeMap<String, Caller>,
    },
}

/// A caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Our gateway, or a program on the same machine: it says for whom it asks.
    Asker,
    /// A party: it asks for itself.
    Party(PartyId),
}

/// What the server needs.
#[derive(Clone)]
pub struct FundingService {
    /// Who answers.
    pub check: FundingCheck,
    /// Keys of pseudonyms: the question has a BSN where the line has one, and it goes no further.
    pub keys: PseudonymKeys,
    /// When a question is asked.
    pub clock: Clock,
    /// Who may ask.
    pub callers: Callers,
}

struct Service {
    inner: FundingService,
    room: Arc<Semaphore>,
}

/// Serves on `listener` until `shutdown`; questions under way are answered.
///
/// # Errors
/// A listener that is not on loopback without certificates, or certificates that cannot be used.
pub async fn serve(
    service: FundingService,
    listener: TcpListener,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("address of the listener")?;
    let mut server = Server::builder()
        .timeout(CHECK_TIMEOUT)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(CONNECTION_CALLS_MAX);
    match &service.callers {
        Callers::Loopback => ensure!(
            address.ip().is_loopback(),
            "without certificates only loopback is served, not {address}"
        ),
        Callers::Certificates { tls, .. } => {
            let config = tls.config();
            server = server
                .tls_config(config)
                .context("certificates of the server")?;
        }
    }
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<FundingServer<Service>>().await;
    let service = Service {
        inner: service,
        room: Arc::new(Semaphore::new(CHECKS_MAX)),
    };
    let api = FundingServer::new(service).max_decoding_message_size(REQUEST_BYTES_MAX);
    let stopping = async move {
        shutdown.cancelled().await;
        health.set_not_serving::<FundingServer<Service>>().await;
    };
    // Without nodelay an answer waits for the client's delayed acknowledgement.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    server
        .add_service(health_service)
        .add_service(api)
        .serve_with_incoming_shutdown(incoming, stopping)
        .await
        .context("serving the funding API")
}

#[tonic::async_trait]
impl Funding for Service {
    async fn check_funding(
        &self,
        request: Request<CheckFundingRequest>,
    ) -> Result<Response<CheckFundingResponse>, Status> {
        let party = self.party(&request)?;
        let _room = self.room.try_acquire().map_err(|_| {
            let busy = "as many questions as are answered at once are being answered";
            refuse(Code::ResourceExhausted, "CHECKS_EXHAUSTED", busy)
        })?;
        let declaration = self.read(request.into_inner())?;
        let asked = Asked { party, declaration };
        let now = self.inner.clock.now();
        let answered = self.inner.check.declarations(&[asked], now).await;
        let answered = answered.map_err(|error| status_of(&error))?;
        let outcome = answered.outcomes.first().map(outcome::for_provider);
        metrics::counter!("samenloop_funding_checks_total").increment(1);
        Ok(Response::new(CheckFundingResponse {
            outcome,
            sequence: answered.sequence.0,
        }))
    }
}

impl Service {
    /// For whom a request asks: who shows a certificate is believed to be that party, and no other.
    fn party<T>(&self, request: &Request<T>) -> Result<PartyId, Status> {
        let named = request.metadata().get(PARTY_METADATA);
        let named = named
            .and_then(|value| value.to_str().ok())
            .map(PartyId::new);
        let caller = match &self.inner.callers {
            Callers::Loopback => Caller::Asker,
            Callers::Certificates { names, .. } => {
                let shown = caller_names(request).unwrap_or_default();
                let known = shown.iter().find_map(|name| names.get(name)).cloned();
                known.ok_or_else(|| {
                    let problem = "the client certificate is missing, or is of no known party";
                    refuse(Code::Unauthenticated, "CALLER_UNKNOWN", problem)
                })?
            }
        };
        match (caller, named) {
            (Caller::Asker, Some(named)) => Ok(named),
            (Caller::Asker, None) => {
                let problem = "the metadata `x-party` must name the party that would send it";
                Err(refuse(Code::InvalidArgument, "PARTY_MISSING", problem))
            }
            (Caller::Party(own), None) => Ok(own),
            (Caller::Party(own), Some(named)) if named == own => Ok(own),
            (Caller::Party(_), Some(_)) => {
                let problem = "a party asks for itself only";
                Err(refuse(Code::PermissionDenied, "PARTY_NOT_ALLOWED", problem))
            }
        }
    }

    fn read(&self, request: CheckFundingRequest) -> Result<Declaration, Status> {
        let keys = &self.inner.keys;
        let read = match request.asked {
            Some(Sent::Declaration(message)) => declaration::read(&message, keys),
            Some(Sent::Body(body)) if body.content.len() > BODY_BYTES_MAX => {
                let problem = format!("has more than {BODY_BYTES_MAX} bytes");
                Err(Malformed::one(None, "", problem))
            }
            Some(Sent::Body(body)) => {
                wire::parse_declaration(&body.content_type, &body.content, keys)
            }
            None => Err(Malformed::one(None, "", "there is no declaration")),
        };
        read.map_err(|malformed| malformed_status(&malformed))
    }
}

fn refuse(code: Code, reason: &str, problem: impl Into<String>) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    Status::with_error_details(code, problem, details)
}

fn malformed_status(malformed: &Malformed) -> Status {
    let faults = malformed.faults.iter();
    let faults = faults.map(|fault| FieldViolation::new(&fault.path, &fault.problem));
    let mut details = ErrorDetails::with_error_info("DECLARATION_MALFORMED", DOMAIN, []);
    details.set_bad_request(faults.collect::<Vec<_>>());
    let problem = format!(
        "it is no declaration (0001): {} faults",
        malformed.fault_count
    );
    Status::with_error_details(Code::InvalidArgument, problem, details)
}

/// The reason is logged and not told where it may name our machines.
fn status_of(error: &CheckError) -> Status {
    tracing::warn!(%error, "a question cannot be answered");
    match error {
        CheckError::NoReference => {
            refuse(Code::Unavailable, "NO_REFERENCE_DATA", error.to_string())
        }
        CheckError::Store(store) if store.is_transient() => {
            let problem = "the register cannot be reached; ask again";
            refuse(Code::Unavailable, "STORE_UNAVAILABLE", problem)
        }
        CheckError::Store(_) => refuse(Code::Internal, "INTERNAL", "the register cannot be read"),
    }
}
