//! A served settlement store, and requests to it.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
};

use jiff::civil::date;
use samenloop_adapters::{
    clock::{Clock, noon},
    fault_plan::FaultPlan,
    settlement_store::SettlementStore,
    shutdown::Shutdown,
};
use samenloop_proto::settlement::v1::{Claim, Share, settlement_client};
use samenloop_settlement::{SettlementConfig, run};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::transport::Channel;

pub(crate) type Api = settlement_client::SettlementClient<Channel>;

pub(crate) const INSURERS: [&str; 2] = ["3311", "7095"];
pub(crate) const PAYEES: [&str; 3] = ["53530001", "01056789", "53530020"];
pub(crate) const CONTRACTS: [&str; 2] = ["C1", "C2"];

/// A store, and the service on it.
pub(crate) struct Books {
    pub(crate) store: SettlementStore,
    pub(crate) api: Api,
    database: Option<String>,
    shutdown: Shutdown,
    running: JoinHandle<anyhow::Result<()>>,
}

static CREATED: AtomicU32 = AtomicU32::new(0);

impl Books {
    pub(crate) async fn in_memory(faults: FaultPlan) -> Self {
        Self::serve("sqlite::memory:", faults, None).await
    }

    /// On a file, which other processes can lock.
    pub(crate) async fn in_file(path: &std::path::Path) -> Self {
        let url = format!("sqlite:{}", path.display());
        Self::serve(&url, FaultPlan::default(), None).await
    }

    pub(crate) async fn on_postgres(faults: FaultPlan) -> Self {
        let server = server();
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("money_{}_{number}", process::id());
        execute(&server, &format!("CREATE DATABASE {name}")).await;
        let (address, _) = server.rsplit_once('/').expect("the URL names a database");
        Self::serve(&format!("{address}/{name}"), faults, Some(name)).await
    }

    async fn serve(url: &str, faults: FaultPlan, database: Option<String>) -> Self {
        let store = SettlementStore::open(url, faults).await.expect("a store");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = Shutdown::new();
        let clock = Clock::scenario(noon(date(2026, 2, 1)));
        let config = SettlementConfig::default();
        let running = tokio::spawn(run(
            config,
            store.clone(),
            listener,
            clock,
            shutdown.clone(),
        ));
        let api = Api::connect(endpoint).await.expect("it is served");
        Self {
            store,
            api,
            database,
            shutdown,
            running,
        }
    }

    /// The URL of the database of this test, on PostgreSQL.
    pub(crate) fn database(&self) -> String {
        let name = self
            .database
            .as_ref()
            .expect("it has a database of its own");
        let server = server();
        let (address, _) = server.rsplit_once('/').expect("the URL names a database");
        format!("{address}/{name}")
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        drop(self.api);
        self.running.await.expect("no panic").expect("it ends well");
        drop(self.store);
        if let Some(name) = self.database {
            execute(&server(), &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

fn server() -> String {
    env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL must name a PostgreSQL superuser: tests/run full money")
}

async fn execute(url: &str, sql: &str) {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.expect("PostgreSQL");
    tokio::spawn(connection);
    client.batch_execute(sql).await.expect(sql);
}

fn share(key: &str, basis_points: u32) -> Share {
    Share {
        key: key.to_owned(),
        basis_points,
    }
}

/// The claim of line 1 of a message: to both insurers by a key, and half to each of two sectors.
pub(crate) fn claim(sequence: u64, payee: &str, contract: &str, cents: i64) -> Claim {
    Claim {
        claim_id: format!("{sequence}.1.1"),
        sequence,
        version: 1,
        line_number: 1,
        message_id: format!("00000000-0000-7000-8000-{sequence:012}"),
        payee_agb: payee.to_owned(),
        insurer_uzovi: INSURERS[0].to_owned(),
        contract_id: contract.to_owned(),
        first: "2025-01-01".to_owned(),
        last: "2025-03-31".to_owned(),
        region: "R1".to_owned(),
        awarded_cents: cents,
        insurer_shares: vec![share(INSURERS[0], 6_000), share(INSURERS[1], 4_000)],
        sector_shares: vec![share("WV", 5_000), share("HA", 5_000)],
        ..Claim::default()
    }
}
