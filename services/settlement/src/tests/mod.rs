//! The service as its clients see it: over a real socket, on SQLite in memory.

mod certificates;
mod credits;
mod errors;
mod methods;
mod money;
mod monitoring;
mod pages;
mod refusals;
mod streams;

use std::time::Duration;

use jiff::Timestamp;
use samenloop_adapters::{
    clock::Clock,
    fault_plan::FaultPlan,
    settlement_client::{ClientError, ClientOptions, SettlementClient, SettlementError},
    settlement_store::SettlementStore,
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::Uzovi;
use samenloop_proto::settlement::v1::{
    self as wire, Claim, ClaimState, Share, subscribe_response::Response,
};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};

use crate::{SettlementConfig, run};

/// Long enough for a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

/// A served store.
struct Served {
    store: SettlementStore,
    client: SettlementClient,
    endpoint: String,
    shutdown: Shutdown,
    running: JoinHandle<anyhow::Result<()>>,
}

async fn served(config: SettlementConfig) -> Served {
    served_at(config, Timestamp::UNIX_EPOCH).await
}

async fn served_at(config: SettlementConfig, now: Timestamp) -> Served {
    let store = SettlementStore::open("sqlite::memory:", FaultPlan::default());
    let store = store.await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = Shutdown::new();
    let clock = Clock::scenario(now);
    let running = run(config, store.clone(), listener, clock, shutdown.clone());
    Served {
        store,
        client: SettlementClient::new(&endpoint, ClientOptions::default()).unwrap(),
        endpoint,
        shutdown,
        running: tokio::spawn(running),
    }
}

impl Served {
    /// Stops the service and waits for its end.
    async fn stop(self) {
        self.shutdown.cancel();
        drop(self.client);
        timeout(PATIENCE, self.running)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

fn uzovi(text: &str) -> Uzovi {
    Uzovi::parse(text).unwrap()
}

/// Line `line_number` of message `sequence`: split over 3311 (60 %) and 7095 (40 %).
fn claim(sequence: u64, line_number: u32, awarded_cents: i64) -> Claim {
    let share = |key: &str, basis_points| Share {
        key: key.to_owned(),
        basis_points,
    };
    Claim {
        claim_id: format!("{sequence}.1.{line_number}"),
        sequence,
        version: 1,
        line_number,
        message_id: format!("00000000-0000-7000-8000-{sequence:012}"),
        payee_agb: "53530001".to_owned(),
        insurer_uzovi: "3311".to_owned(),
        awarded_cents,
        insurer_shares: vec![share("3311", 6000), share("7095", 4000)],
        sector_shares: vec![share("WV", 5000), share("HA", 5000)],
        ..Claim::default()
    }
}

async fn states(client: &SettlementClient, claims: Vec<Claim>) -> Vec<(ClaimState, String)> {
    let receipts = client.submit(claims).await.unwrap();
    let state = |receipt: wire::ClaimReceipt| (receipt.state(), receipt.reason);
    receipts.into_iter().map(state).collect()
}

/// Code, reason and one value of the metadata of an error.
fn refused<T, E: Into<SettlementError>>(
    result: Result<T, E>,
    key: &str,
) -> (tonic::Code, String, String) {
    match result.err().map(Into::into) {
        Some(SettlementError::Client(ClientError::Refused {
            code,
            reason,
            metadata,
            ..
        })) => {
            let value = metadata.into_iter().find(|(name, _)| name == key);
            (code, reason, value.unwrap_or_default().1)
        }
        other => panic!("it was not refused: {other:?}"),
    }
}
