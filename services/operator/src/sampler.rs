//! Watches queues and counts, once a second, and keeps the last minutes of them in memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use samenloop_adapters::{
    broker::{BrokerError, Depth, Queue},
    decision_store::{DecisionFigures, StoreError, StoredMessage},
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::PartyId;
use tokio::time::{Instant, MissedTickBehavior};

use crate::Operator;

/// How often is looked.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// Samples kept: five minutes.
pub(crate) const SAMPLES_MAX: usize = 300;

/// Rates are over so many samples back.
const RATE_SAMPLES: usize = 10;

/// Declarations that the time to pass is taken over.
pub(crate) const RECENT_MAX: u32 = 100;

/// Ticks between two looks at the latest declarations.
const RECENT_TICKS: u64 = 5;

/// How long one look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// One look. What did not answer is absent.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// When, for rates.
    pub(crate) instant: Instant,
    /// When, for people.
    pub(crate) taken_at: Timestamp,
    pub(crate) declarations: Option<Depth>,
    pub(crate) validated: Option<Depth>,
    pub(crate) commands: Option<Depth>,
    /// What parties have not fetched yet, all queues together; absent where one does not answer.
    pub(crate) outcomes: Option<Depth>,
    pub(crate) figures: Option<DecisionFigures>,
    /// What the broker said last, if that was an error.
    pub(crate) broker_fault: Option<String>,
    /// What the store of decisions said last, if that was an error.
    pub(crate) store_fault: Option<String>,
}

/// The samples and the latest declarations; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Samples(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    samples: VecDeque<Sample>,
    recent: Arc<Vec<StoredMessage>>,
}

impl Samples {
    pub(crate) fn push(&self, sample: Sample) {
        let mut kept = self.0.lock().expect("no holder panics");
        if kept.samples.len() >= SAMPLES_MAX {
            kept.samples.pop_front();
        }
        kept.samples.push_back(sample);
    }

    pub(crate) fn keep_recent(&self, recent: Vec<StoredMessage>) {
        self.0.lock().expect("no holder panics").recent = Arc::new(recent);
    }

    pub(crate) fn recent(&self) -> Arc<Vec<StoredMessage>> {
        Arc::clone(&self.0.lock().expect("no holder panics").recent)
    }

    /// The newest sample and the one that its rates are counted from.
    pub(crate) fn span(&self) -> Option<(Sample, Sample)> {
        let kept = self.0.lock().expect("no holder panics");
        let newest = kept.samples.back()?.clone();
        let from = kept.samples.len().saturating_sub(RATE_SAMPLES + 1);
        Some((kept.samples.get(from)?.clone(), newest))
    }

    /// Lines decided from each sample to the next, per second, oldest first.
    pub(crate) fn lines_per_second(&self) -> Vec<u64> {
        let kept = self.0.lock().expect("no holder panics");
        let pairs = kept.samples.iter().zip(kept.samples.iter().skip(1));
        pairs
            .map(|(before, after)| {
                let (Some(was), Some(is)) = (&before.figures, &after.figures) else {
                    return 0;
                };
                let lines = lines(is).saturating_sub(lines(was));
                let elapsed = after.instant.duration_since(before.instant);
                crate::shown::Rate::of(lines, elapsed).milli / 1_000
            })
            .collect()
    }
}

/// Lines decided.
pub(crate) fn lines(figures: &DecisionFigures) -> u64 {
    figures.lines.iter().map(|(_, count)| count).sum()
}

/// Looks once a second until shutdown.
pub(crate) async fn watch(operator: &Operator, samples: &Samples, shutdown: &Shutdown) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0_u64.. {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = look(operator, samples, tick) => {}
        }
    }
}

async fn look(operator: &Operator, samples: &Samples, tick: u64) {
    samples.push(sample(operator).await);
    if tick.is_multiple_of(RECENT_TICKS) {
        if let Some(metrics) = &operator.metrics {
            // Without it the samples of histograms are kept until somebody asks for them.
            metrics.run_upkeep();
        }
        let latest = operator.store.latest(None, RECENT_MAX);
        if let Ok(Ok(recent)) = tokio::time::timeout(LOOK_TIMEOUT, latest).await {
            samples.keep_recent(recent);
        }
    }
}

/// One look at everything.
pub(crate) async fn sample(operator: &Operator) -> Sample {
    let mut broker = Probe::default();
    let declarations = broker.depth(operator, &Queue::Declarations).await;
    let validated = broker.depth(operator, &Queue::Validated).await;
    let commands = broker.depth(operator, &Queue::Commands).await;
    let outcomes = broker.outcomes(operator).await;
    let taken_at = operator.clock.now();
    let figures = tokio::time::timeout(LOOK_TIMEOUT, operator.store.figures(taken_at)).await;
    let figures =
        figures.unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".to_owned())));
    let store_fault = figures.as_ref().err().map(ToString::to_string);
    Sample {
        instant: Instant::now(),
        taken_at,
        declarations,
        validated,
        commands,
        outcomes,
        figures: figures.ok(),
        broker_fault: broker.fault,
        store_fault,
    }
}

/// Asks the broker until it fails once.
#[derive(Default)]
struct Probe {
    fault: Option<String>,
}

impl Probe {
    async fn depth(&mut self, operator: &Operator, queue: &Queue) -> Option<Depth> {
        if self.fault.is_some() {
            return None;
        }
        let asked = tokio::time::timeout(LOOK_TIMEOUT, operator.broker.depth(queue)).await;
        let answer =
            asked.unwrap_or_else(|_| Err(BrokerError::Connection("no answer in time".to_owned())));
        match answer {
            Ok(depth) => Some(depth),
            Err(error) => {
                self.fault = Some(error.to_string());
                None
            }
        }
    }

    async fn outcomes(&mut self, operator: &Operator) -> Option<Depth> {
        let reference = operator.reference.latest()?;
        let mut whole = Depth {
            ready: 0,
            unacked: Some(0),
            consumers: Some(0),
        };
        let add = |sum: Option<u64>, part: Option<u64>| Some(sum? + part?);
        let senders = reference.parties.iter();
        for (party, _) in senders.filter(|(_, party)| party.agb.is_some()) {
            let queue = Queue::Outcomes(PartyId::clone(party));
            let depth = self.depth(operator, &queue).await?;
            whole.ready += depth.ready;
            whole.unacked = add(whole.unacked, depth.unacked);
            whole.consumers = add(whole.consumers, depth.consumers);
        }
        Some(whole)
    }
}
