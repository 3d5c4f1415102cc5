//! Roles as processes of the executable under test, on the broker and database of one test; ended by process id.

use std::{
    collections::BTreeMap,
    env,
    fs::OpenOptions,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::StatusCode;

use crate::production::Production;

/// Far longer than it takes to notice anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every role that can be a process of its own.
pub const ROLES: [&str; 5] = [
    "validation",
    "detection",
    "settlement",
    "gateway",
    "operator",
];

/// Running roles, and how each is started again.
#[derive(Debug)]
pub struct Processes {
    /// Where the gateway is, as `http://address`.
    pub gateway: String,
    /// Where the operator page is, as `http://address`.
    pub operator: String,
    binary: PathBuf,
    settings: BTreeMap<&'static str, String>,
    brokers: BTreeMap<&'static str, String>,
    /// Where each role tells its health.
    probes: BTreeMap<&'static str, SocketAddr>,
    running: BTreeMap<&'static str, Child>,
    /// Where each role's log goes; absent: to the standard error of the test.
    logs: Option<PathBuf>,
}

/// What a role says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// All that it needs answers.
    Green,
    /// Something does not.
    Red,
}

/// Where what the roles need is found.
#[derive(Clone, Debug)]
pub struct Places {
    /// The broker, as `host:port`; absent: the node itself.
    pub broker: Option<String>,
    /// URL of the database.
    pub database: String,
    /// Where settlement listens.
    pub settlement: SocketAddr,
    /// URL under which detection finds it.
    pub settlement_endpoint: String,
}

impl Processes {
    /// None runs yet; they will find each other directly.
    ///
    /// # Panics
    /// Where the executable is not built, or no port is free.
    #[must_use]
    pub fn new(production: &Production) -> Self {
        let [settlement] = free_ports();
        let places = Places {
            broker: None,
            database: production.database.clone(),
            settlement,
            settlement_endpoint: format!("http://{settlement}"),
        };
        Self::at(production, &places)
    }

    /// None runs yet.
    ///
    /// # Panics
    /// Where the executable is not built, or no port is free.
    #[must_use]
    pub fn at(production: &Production, places: &Places) -> Self {
        // The test's own path is target/<profile>/deps/<test>.
        let test = env::current_exe().expect("the test has a path");
        let profile = test.ancestors().nth(2).expect("a target directory");
        let binary = profile.join("samenloop");
        assert!(binary.exists(), "{} is built", binary.display());
        let [gateway, operator, validation, detection, settlement, intake] = free_ports();
        let config = production.config(String::new());
        let settings = BTreeMap::from([
            ("SAMENLOOP_DECISIONS_URL", places.database.clone()),
            ("SAMENLOOP_SETTLEMENT_URL", places.database.clone()),
            ("SAMENLOOP_SETTLEMENT_LISTEN", places.settlement.to_string()),
            (
                "SAMENLOOP_SETTLEMENT_ENDPOINT",
                places.settlement_endpoint.clone(),
            ),
            ("SAMENLOOP_GATEWAY_LISTEN", gateway.to_string()),
            ("SAMENLOOP_OPERATOR_LISTEN", operator.to_string()),
            ("SAMENLOOP_KEYS_PSEUDONYMS", config.keys.pseudonyms),
            ("SAMENLOOP_KEYS_SEALING", config.keys.sealing),
            ("SAMENLOOP_LIMITS_ORIGINAL_WAIT_SECONDS", "0".to_owned()),
            ("SAMENLOOP_LOG", "error".to_owned()),
        ]);
        // Settlement uses no broker; it is given one so that it is no embedded process.
        let url = |role| {
            let user = match role {
                "settlement" => "samenloop-operator".to_owned(),
                role => format!("samenloop-{role}"),
            };
            production.amqp_at(&user, places.broker.as_deref())
        };
        Self {
            gateway: format!("http://{gateway}"),
            operator: format!("http://{operator}"),
            binary,
            settings,
            brokers: ROLES.map(|role| (role, url(role))).into(),
            probes: BTreeMap::from([
                ("validation", validation),
                ("detection", detection),
                ("settlement", settlement),
                ("gateway", intake),
                ("operator", operator),
            ]),
            running: BTreeMap::new(),
            logs: None,
        }
    }

    /// Keeps what roles that are started from now on log at `level` in files of `directory`, and what they print.
    #[must_use]
    pub fn logging(mut self, level: &str, directory: &Path) -> Self {
        self.settings.insert("SAMENLOOP_LOG", level.to_owned());
        self.logs = Some(directory.to_owned());
        self
    }

    /// What a role tells of its metrics.
    ///
    /// # Panics
    /// Where it does not answer.
    pub async fn metrics(&self, role: &str) -> String {
        let url = format!("http://{}/metrics", self.probes[role]);
        let answer = reqwest::get(url).await.expect("the role answers");
        answer.text().await.expect("metrics are text")
    }

    /// Starts a role.
    ///
    /// # Panics
    /// Where the executable cannot be run.
    pub fn start(&mut self, role: &'static str) {
        let output = || match &self.logs {
            None => Stdio::inherit(),
            Some(directory) => {
                let path = directory.join(format!("{role}.log"));
                let file = OpenOptions::new().create(true).append(true).open(path);
                Stdio::from(file.expect("the log file opens"))
            }
        };
        let child = Command::new(&self.binary)
            .arg(role)
            .envs(&self.settings)
            .env("SAMENLOOP_BROKER_URL", &self.brokers[role])
            .env("SAMENLOOP_HEALTH_LISTEN", self.probes[role].to_string())
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn();
        self.running.insert(role, child.expect("the role starts"));
    }

    /// kill -9, and a new process in its place.
    ///
    /// # Panics
    /// Where it had ended by itself before.
    pub fn kill(&mut self, role: &'static str) {
        self.check_alive();
        if let Some(mut child) = self.running.remove(role) {
            child.kill().expect("it is ours to kill");
            child.wait().expect("it ends");
        }
        self.start(role);
    }

    /// Waits until each of these roles says this of itself.
    ///
    /// # Panics
    /// Where one does not within two minutes.
    pub async fn wait_until(&self, roles: &[&'static str], readiness: Readiness) {
        let asked = async {
            for role in roles {
                while self.readiness(role).await != Some(readiness) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, asked).await;
        assert!(waited.is_ok(), "one of {roles:?} is not {readiness:?}");
    }

    /// What a role says of itself; none where it cannot be asked.
    pub async fn readiness(&self, role: &str) -> Option<Readiness> {
        let url = format!("http://{}/readyz", self.probes[role]);
        let answer = reqwest::get(url).await.ok()?;
        match answer.status() {
            StatusCode::OK => Some(Readiness::Green),
            StatusCode::SERVICE_UNAVAILABLE => Some(Readiness::Red),
            _ => None,
        }
    }

    /// # Panics
    /// Where a role has ended by itself: nothing that a test does may make one give up.
    pub fn check_alive(&mut self) {
        for (role, child) in &mut self.running {
            let ended = child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "{role} ended by itself: {ended:?}");
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Addresses that nobody listens on; held together, so that they differ.
///
/// # Panics
/// Where no port is free.
#[must_use]
pub fn free_ports<const N: usize>() -> [SocketAddr; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|it| it.local_addr().expect("it has an address"))
}
