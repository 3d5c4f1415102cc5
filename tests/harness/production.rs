//! A virtual host and a database of one test, on the nodes that `tests/run` starts.

use std::{
    collections::BTreeMap,
    env, process,
    sync::atomic::{AtomicU32, Ordering},
};

use samenloop_adapters::{
    broker::{
        Broker,
        rabbit::{RabbitBroker, RabbitOptions},
        topology::{self, PartyAccess, Topology},
    },
    clock::noon,
    config::Config,
    decision_store::DecisionStore,
    fault_plan::FaultPlan,
    reference::Loaded,
};
use samenloop_domain::identifiers::PartyId;

/// Password of every user that a test makes; the nodes are private and on loopback.
const PASSWORD: &str = "only-for-tests";

const SERVICES: [&str; 4] = [
    "samenloop-validation",
    "samenloop-detection",
    "samenloop-gateway",
    "samenloop-operator",
];

static MADE: AtomicU32 = AtomicU32::new(0);

/// Broker and database of one test.
#[derive(Debug)]
pub struct Production {
    /// URL of the database, of its superuser.
    pub database: String,
    /// Name of the virtual host.
    pub vhost: String,
    name: String,
    /// Keys and working files.
    pub directory: tempfile::TempDir,
}

/// A variable that `tests/run` sets.
///
/// # Panics
/// Where it is not set: a test that needs a node never passes without.
#[must_use]
pub fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: eval \"$(tests/nodes/up)\""))
}

impl Production {
    /// Makes a virtual host with the queues of the parties of `reference`, and an empty database.
    ///
    /// # Panics
    /// Where a node refuses.
    pub async fn new(reference: &Loaded) -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("samenloop_test_{}_{number}", process::id());
        let server = variable("TEST_POSTGRES_URL");
        sql(&server, &format!("CREATE DATABASE {name}")).await;
        let (server, _) = server.rsplit_once('/').expect("the URL names a database");
        let parties = reference
            .reference
            .parties
            .iter()
            .map(|(id, party)| PartyAccess {
                party: id.clone(),
                user: party.amqp_user.clone(),
                password: party.amqp_user.as_ref().map(|_| PASSWORD.to_owned()),
            });
        let made = Topology {
            vhost: name.clone(),
            parties: parties.collect(),
            service_passwords: SERVICES
                .iter()
                .map(|it| ((*it).to_owned(), PASSWORD.to_owned()))
                .collect(),
            queue_length_max: None,
        };
        let management = variable("TEST_AMQP_MANAGEMENT_URL");
        topology::apply(&management, &made)
            .await
            .expect("the topology is made");
        let directory = tempfile::tempdir().expect("a directory");
        Self {
            database: format!("{server}/{name}"),
            vhost: name.clone(),
            name,
            directory,
        }
    }

    /// Puts reference data in force.
    ///
    /// # Panics
    /// Where the database refuses.
    pub async fn activate(&self, reference: &Loaded) {
        let store = DecisionStore::open(&self.database, FaultPlan::default());
        let store = store.await.expect("it opens");
        let now = noon(jiff::civil::date(2024, 1, 1));
        let activated = samenloop_detection::change::activate_reference(&store, reference, now);
        activated.await.expect("it is in force");
    }

    /// URL of the broker for a user of this test.
    ///
    /// # Panics
    /// Where the URL of the node cannot be read.
    #[must_use]
    pub fn amqp(&self, user: &str) -> String {
        self.amqp_at(user, None)
    }

    /// The same through another place, as `host:port`, that leads to the node.
    ///
    /// # Panics
    /// Where the URL of the node cannot be read.
    #[must_use]
    pub fn amqp_at(&self, user: &str, place: Option<&str>) -> String {
        let node = variable("TEST_AMQP_URL");
        let (_, host) = node.rsplit_once('@').expect("the URL has a user");
        let (host, _) = host.split_once('/').unwrap_or((host, ""));
        let host = place.unwrap_or(host);
        format!("amqp://{user}:{PASSWORD}@{host}/{}", self.vhost)
    }

    /// URL of the broker for its administrator.
    ///
    /// # Panics
    /// Where the URL of the node cannot be read.
    #[must_use]
    pub fn amqp_of_administrator(&self) -> String {
        let node = variable("TEST_AMQP_URL");
        let (node, _) = node.rsplit_once('/').expect("the URL names a virtual host");
        format!("{node}/{}", self.vhost)
    }

    /// A configuration whose process uses this broker and this database, on free ports.
    #[must_use]
    pub fn config(&self, broker: String) -> Config {
        let mut config = samenloop::in_process::embedded_in(self.directory.path());
        config.broker.url = broker;
        config.decisions.url.clone_from(&self.database);
        config.settlement.url.clone_from(&self.database);
        config.keys.pseudonyms = self.key("pseudonyms", "k1");
        config.keys.sealing = self.key("sealing", "");
        config
    }

    fn key(&self, name: &str, id: &str) -> String {
        let path = self.directory.path().join(name);
        if !path.exists() {
            let line = samenloop_adapters::pseudonym::new_key_line(id);
            std::fs::write(&path, line.trim()).expect("the key file is written");
        }
        path.display().to_string()
    }

    /// A connection per party; a party without a user listens as administrator.
    ///
    /// # Panics
    /// Where a URL cannot be read.
    #[must_use]
    pub fn brokers(&self, reference: &Loaded) -> BTreeMap<PartyId, Broker> {
        let connect = |user: Option<&String>| {
            let url = user.map_or_else(|| self.amqp_of_administrator(), |user| self.amqp(user));
            let broker =
                RabbitBroker::new(&url, RabbitOptions::default()).expect("the URL is good");
            Broker::Rabbit(broker)
        };
        let parties = reference.reference.parties.iter();
        parties
            .map(|(id, party)| (id.clone(), connect(party.amqp_user.as_ref())))
            .collect()
    }

    /// Rows of all tables of both stores.
    ///
    /// # Panics
    /// Where the database refuses.
    pub async fn rows(&self) -> u64 {
        let (client, connection) = tokio_postgres::connect(&self.database, tokio_postgres::NoTls)
            .await
            .expect("PostgreSQL answers");
        tokio::spawn(connection);
        let sql = "SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(
                format('SELECT count(*) AS c FROM %I.%I', schemaname, tablename), false, true, '')))[1]
                ::TEXT::BIGINT), 0)::BIGINT
             FROM pg_tables WHERE schemaname IN ('decisions', 'settlement')";
        let row = client.query_one(sql, &[]).await.expect("it counts");
        u64::try_from(row.get::<_, i64>(0)).expect("a count is not negative")
    }

    /// Every row of every table of both stores as text, bytes in hexadecimal, with the name of its table.
    ///
    /// # Panics
    /// Where the database refuses.
    pub async fn stored(&self) -> Vec<(String, String)> {
        let (client, connection) = tokio_postgres::connect(&self.database, tokio_postgres::NoTls)
            .await
            .expect("PostgreSQL answers");
        tokio::spawn(connection);
        let sql = "SELECT schemaname || '.' || tablename FROM pg_tables
             WHERE schemaname IN ('decisions', 'settlement')";
        let tables = client.query(sql, &[]).await.expect("tables are listed");
        let mut stored = Vec::new();
        for table in tables {
            let table: String = table.get(0);
            let sql = format!("SELECT t::TEXT FROM {table} AS t");
            let rows = client.query(&sql, &[]).await.expect("rows are read");
            stored.extend(rows.iter().map(|row| (table.clone(), row.get(0))));
        }
        stored
    }

    /// Takes virtual host and database away.
    ///
    /// # Panics
    /// Where a node refuses.
    pub async fn close(self) {
        let url = format!(
            "{}/api/vhosts/{}",
            variable("TEST_AMQP_MANAGEMENT_URL"),
            self.vhost
        );
        let deleted = reqwest::Client::new()
            .delete(url)
            .send()
            .await
            .expect("the node answers");
        assert!(
            deleted.status().is_success(),
            "the virtual host is deleted: {}",
            deleted.status()
        );
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        sql(&variable("TEST_POSTGRES_URL"), &drop).await;
    }
}

/// Runs a statement on a connection of its own.
///
/// # Panics
/// Where the database refuses.
pub async fn sql(url: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("PostgreSQL answers");
    tokio::spawn(connection);
    client
        .batch_execute(statement)
        .await
        .expect("the statement is good");
}
