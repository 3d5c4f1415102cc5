//! The server: listener, limits, health, and an end that comes.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use samenloop_adapters::{clock::Clock, settlement_store::SettlementStore, shutdown::Shutdown};
use samenloop_proto::settlement::v1::settlement_server::SettlementServer;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    time::sleep,
};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tokio_util::task::TaskTracker;
use tonic::codec::CompressionEncoding;
use tonic::transport::{
    Server, ServerTlsConfig,
    server::{Connected, TcpIncoming},
};
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};
use tower::util::MapResponseLayer;

use crate::{
    Callers, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, Reflection, SettlementConfig,
    deadline::DeadlineLayer, reason::with_reason, service::Service, snapshot::SNAPSHOTS_MAX,
    token::Tokens,
};

type Api = SettlementServer<Service>;

/// What is served: bytes both ways, and who is at the other end.
trait Connection: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static {}
impl<IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static> Connection for IO {}

/// How often a connection is asked whether it is alive, and how long it may take to say so.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls on one connection at once.
const CONNECTION_CALLS_MAX: u32 = 64;

/// Bytes in flight of one call and of one connection: a batch fits without waiting.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;

/// Serves the API on `listener` until `shutdown`: readiness goes off, each stream ends with a goaway, calls under way
/// end, and after `shutdown_max` it returns whatever is left.
///
/// # Errors
/// A listener that is not on loopback without certificates, or certificates that cannot be used.
pub async fn run(
    config: SettlementConfig,
    store: SettlementStore,
    listener: TcpListener,
    clock: Clock,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let tls = tls(&config.callers, &listener)?;
    // Without nodelay a batch waits 40 ms for the client's delayed acknowledgement.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    run_on(config, store, (tls, incoming), clock, shutdown).await
}

/// As [`run`], on connections within this process, which are believed as loopback is.
///
/// # Errors
/// A configuration with certificates: nobody shows one here.
pub async fn run_in_process(
    config: SettlementConfig,
    store: SettlementStore,
    connections: mpsc::Receiver<DuplexStream>,
    clock: Clock,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let is_loopback = matches!(config.callers, Callers::Loopback { .. });
    ensure!(is_loopback, "within the process nobody shows a certificate");
    let incoming = ReceiverStream::new(connections).map(Ok::<_, std::io::Error>);
    run_on(config, store, (None, incoming), clock, shutdown).await
}

async fn run_on<IO: Connection>(
    config: SettlementConfig,
    store: SettlementStore,
    (tls, incoming): (
        Option<ServerTlsConfig>,
        impl Stream<Item = std::io::Result<IO>>,
    ),
    clock: Clock,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let (recorded, _) = watch::channel(0);
    let service = Service {
        tokens: Tokens::new(&config.token_secret),
        streams: Arc::new(Semaphore::new(config.streams_max)),
        snapshots: Arc::new(Semaphore::new(SNAPSHOTS_MAX)),
        config: Arc::new(config),
        store,
        clock,
        recorded: Arc::new(recorded),
        feeds: TaskTracker::new(),
        shutdown: shutdown.clone(),
    };
    let (config, feeds) = (Arc::clone(&service.config), service.feeds.clone());
    let (health, health_service) = tonic_health::server::health_reporter();
    set_health(&health, ServingStatus::Serving).await;
    let watching = tokio::spawn(watch_store(service.clone(), health.clone()));
    let served = async {
        let result = serve(service, (health, health_service), tls, incoming).await;
        feeds.close();
        feeds.wait().await;
        result
    };
    let hard_end = async {
        shutdown.cancelled().await;
        sleep(config.lame_duck + config.shutdown_max).await;
    };
    let result = tokio::select! {
        biased;
        result = served => result,
        () = hard_end => {
            // A stream that a client leaves unread, for one; it holds nothing that is not in the store.
            tracing::warn!("calls that did not end in time are left behind");
            Ok(())
        }
    };
    watching.abort();
    result
}

async fn serve<IO: Connection>(
    service: Service,
    (health, health_service): (HealthReporter, HealthServer<impl Health>),
    tls: Option<ServerTlsConfig>,
    incoming: impl Stream<Item = std::io::Result<IO>>,
) -> anyhow::Result<()> {
    let (shutdown, lame_duck) = (service.shutdown.clone(), service.config.lame_duck);
    let reflection = match service.config.reflection {
        Reflection::Hidden => None,
        Reflection::Served => Some(
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(samenloop_proto::FILE_DESCRIPTOR_SET)
                .build_v1()?,
        ),
    };
    let api = Api::new(service)
        // Whoever says that it reads gzip gets it; a file of payments is ten times smaller so.
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(RESPONSE_BYTES_MAX);
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(CONNECTION_CALLS_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    if let Some(tls) = tls {
        server = server
            .tls_config(tls)
            .context("certificates of the server")?;
    }
    let drained = async move {
        shutdown.cancelled().await;
        set_health(&health, ServingStatus::NotServing).await;
        sleep(lame_duck).await;
    };
    server
        .layer(MapResponseLayer::new(with_reason))
        .layer(DeadlineLayer)
        .add_service(health_service)
        .add_optional_service(reflection)
        .add_service(api)
        .serve_with_incoming_shutdown(incoming, drained)
        .await
        .context("serving the settlement API")
}

/// Of the API, and of the server as a whole.
async fn set_health(health: &HealthReporter, status: ServingStatus) {
    let api = <Api as tonic::server::NamedService>::NAME;
    health.set_service_status(api, status).await;
    health.set_service_status("", status).await;
}

fn tls(callers: &Callers, listener: &TcpListener) -> anyhow::Result<Option<ServerTlsConfig>> {
    let address = listener.local_addr().context("address of the listener")?;
    match callers {
        Callers::Loopback { .. } => {
            let is_loopback = address.ip().is_loopback();
            ensure!(
                is_loopback,
                "without certificates only loopback is served, not {address}"
            );
            Ok(None)
        }
        Callers::Certificates { tls, .. } => Ok(Some(tls.config())),
    }
}

/// Wakes subscribers when another process recorded something, and tells whether the store answers.
async fn watch_store(service: Service, health: HealthReporter) {
    let mut known = Vec::new();
    loop {
        let heads = service.store.stream_heads().await;
        // From the shutdown on it stays off.
        if !service.shutdown.is_cancelled() {
            let status = match heads {
                Ok(_) => ServingStatus::Serving,
                Err(_) => ServingStatus::NotServing,
            };
            set_health(&health, status).await;
        }
        match heads {
            Ok(heads) if heads != known => {
                known = heads;
                service.recorded.send_modify(|count| *count += 1);
            }
            Ok(_) => {}
            // Subscribers that wait will read when it is back; whoever calls is told.
            Err(error) => tracing::debug!(%error, "stream heads could not be read"),
        }
        sleep(service.config.poll_interval).await;
    }
}
