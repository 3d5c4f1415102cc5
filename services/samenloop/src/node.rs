//! A process: what its roles share, opened from its configuration.

use std::{
    fs::{self, File, TryLockError},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    broker::{
        BatchLimits, Broker, Queue,
        embedded::{EmbeddedBroker, EmbeddedOptions},
        rabbit::RabbitBroker,
    },
    clock::Clock,
    config::Config,
    consume::ConsumeContext,
    decision_store::DecisionStore,
    fault_plan::FaultPlan,
    ids::Ids,
    pseudonym::{self, PseudonymKeys},
    reference_feed::ReferenceFeed,
    seal::SealingKey,
    settlement_store::SettlementStore,
};

/// What the roles of a process share.
#[derive(Debug)]
pub struct Node {
    /// Its configuration.
    pub config: Config,
    /// Time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
    /// The broker.
    pub broker: Broker,
    /// The store of decisions.
    pub decisions: DecisionStore,
    /// The reference data in force.
    pub reference: ReferenceFeed,
    /// Keys of pseudonyms.
    pub keys: PseudonymKeys,
    /// Seals quarantined bodies.
    pub seal: SealingKey,
    /// Faults that a test planned.
    pub faults: FaultPlan,
    /// Faults of the relay of claims alone.
    pub claim_faults: FaultPlan,
    /// Held while this process is the only one on an embedded directory.
    _lock: Option<File>,
}

impl Node {
    /// Opens broker, store of decisions and keys.
    ///
    /// # Errors
    /// Says what cannot be opened, and what to do.
    pub async fn open(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let faults = FaultPlan::default();
        let lock = lock(&config)?;
        let broker = open_broker(&config, &faults)?;
        let url = decisions_url(&config);
        let decisions = DecisionStore::open(&url, faults.clone())
            .await
            .with_context(|| {
                format!(
                    "the store of decisions {}",
                    samenloop_adapters::config::redact(&url)
                )
            })?;
        let (keys, seal) = open_keys(&config)?;
        let reference = ReferenceFeed::new(decisions.clone());
        let node = Self {
            config,
            clock,
            ids: Ids::System,
            broker,
            decisions,
            reference,
            keys,
            seal,
            faults,
            claim_faults: FaultPlan::default(),
            _lock: lock,
        };
        Ok(node)
    }

    /// A node whose queue and decisions are in memory, with keys that protect nothing: for a simulation, which
    /// stays on one thread and leaves nothing behind.
    ///
    /// # Errors
    /// Says what cannot be opened.
    pub async fn in_memory(config: Config, clock: Clock, ids: Ids) -> anyhow::Result<Self> {
        let faults = FaultPlan::default();
        let options = EmbeddedOptions {
            queue_length_max: config.broker.embedded_length_max,
        };
        let broker = EmbeddedBroker::open(":memory:", options, faults.clone())?;
        let decisions = DecisionStore::open("sqlite::memory:", faults.clone()).await?;
        Ok(Self {
            config,
            clock,
            ids,
            broker: Broker::Embedded(broker),
            reference: ReferenceFeed::new(decisions.clone()),
            decisions,
            keys: PseudonymKeys::fixed_for_demo(),
            seal: SealingKey::new(&[7; 32]),
            faults,
            claim_faults: FaultPlan::default(),
            _lock: None,
        })
    }

    /// Opens the store of settlement.
    ///
    /// # Errors
    /// Says what cannot be opened.
    pub async fn open_settlement(&self) -> anyhow::Result<SettlementStore> {
        let url = settlement_url(&self.config);
        SettlementStore::open(&url, self.faults.clone())
            .await
            .with_context(|| {
                format!(
                    "the store of settlement {}",
                    samenloop_adapters::config::redact(&url)
                )
            })
    }

    /// Makes or checks the queues that the roles need, those of all parties in force included.
    ///
    /// # Errors
    /// Names what is missing.
    pub async fn check_topology(&self) -> anyhow::Result<()> {
        let mut queues = vec![Queue::Declarations, Queue::Validated, Queue::Commands];
        if let Some(reference) = self.reference.current().await? {
            queues.extend(reference.parties.keys().cloned().map(Queue::Outcomes));
        }
        self.broker
            .check_topology(&queues)
            .await
            .context("the topology of the broker")
    }

    /// What the consumer loops need.
    #[must_use]
    pub fn consume_context(&self) -> ConsumeContext {
        ConsumeContext {
            broker: self.broker.clone(),
            store: self.decisions.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            seal: self.seal.clone(),
            limits: BatchLimits {
                prefetch: self.config.limits.prefetch,
                messages_max: self.config.limits.batch_messages_max,
                ..BatchLimits::default()
            },
            attempts_max: self.config.limits.attempts_max,
            faults: self.faults.clone(),
        }
    }
}

/// The URL of the store of decisions: as configured, or SQLite in the data directory.
#[must_use]
pub fn decisions_url(config: &Config) -> String {
    or_embedded(config, &config.decisions.url, "decisions.db")
}

/// The URL of the store of settlement: as configured, or SQLite in the data directory.
#[must_use]
pub fn settlement_url(config: &Config) -> String {
    or_embedded(config, &config.settlement.url, "settlement.db")
}

fn or_embedded(config: &Config, url: &str, file: &str) -> String {
    if url.is_empty() {
        format!("sqlite:{}", config.data_dir.join(file).display())
    } else {
        url.to_owned()
    }
}

/// Whether anything of this process lives in its data directory.
#[must_use]
pub fn is_embedded(config: &Config) -> bool {
    config.broker.url.is_empty()
        || config.decisions.url.is_empty()
        || config.settlement.url.is_empty()
}

/// Only one process works on an embedded directory; every other command speaks HTTP or AMQP with it.
fn lock(config: &Config) -> anyhow::Result<Option<File>> {
    if !is_embedded(config) {
        return Ok(None);
    }
    let directory = &config.data_dir;
    fs::create_dir_all(directory)
        .with_context(|| format!("the data directory {}", directory.display()))?;
    let path = directory.join("lock");
    let file = File::create(&path).with_context(|| format!("the lock file {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => bail!(
            "another samenloop works in {}; stop it first, or name another directory with --set data_dir=DIR",
            directory.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).context("the lock file cannot be locked"),
    }
}

fn open_broker(config: &Config, faults: &FaultPlan) -> anyhow::Result<Broker> {
    if config.broker.url.is_empty() {
        let options = EmbeddedOptions {
            queue_length_max: config.broker.embedded_length_max,
        };
        let path = config.data_dir.join("queue.db");
        let broker = EmbeddedBroker::open(&path, options, faults.clone())
            .with_context(|| format!("the embedded queue {}", path.display()))?;
        return Ok(Broker::Embedded(broker));
    }
    let broker = RabbitBroker::new(
        &config.broker.url,
        samenloop_adapters::broker::rabbit::RabbitOptions::default(),
    );
    Ok(Broker::Rabbit(broker.context("broker.url")?))
}

fn open_keys(config: &Config) -> anyhow::Result<(PseudonymKeys, SealingKey)> {
    let pseudonyms = key_file(config, &config.keys.pseudonyms, "pseudonyms.key", || {
        pseudonym::new_key_line("k1")
    })?;
    let sealing = key_file(config, &config.keys.sealing, "sealing.key", || {
        let line = pseudonym::new_key_line("");
        line.trim().to_owned()
    })?;
    Ok((
        PseudonymKeys::load(&pseudonyms)?,
        SealingKey::load(&sealing)?,
    ))
}

/// The file of a key; one in the data directory is made at the first start, readable by its owner only.
fn key_file(
    config: &Config,
    configured: &str,
    name: &str,
    new: impl FnOnce() -> String,
) -> anyhow::Result<PathBuf> {
    if !configured.is_empty() {
        return Ok(PathBuf::from(configured));
    }
    if !is_embedded(config) {
        bail!(
            "keys: name the files `keys.pseudonyms` and `keys.sealing`; `samenloop keys new` makes keys"
        );
    }
    let path = config.data_dir.join(name);
    if !path.exists() {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let mut file = file.with_context(|| format!("the key file {}", path.display()))?;
        writeln!(file, "{}", new())?;
        file.sync_all()?;
    }
    Ok(path)
}
