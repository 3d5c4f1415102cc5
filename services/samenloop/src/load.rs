//! Sends generated declarations as fast as the product takes them, and collects every outcome.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    broker::{Broker, Message, Published, Queue},
    clock::{SCENARIO_HEADER, noon},
    generate::{Generated, Generator},
};
use samenloop_domain::identifiers::PartyId;
use tokio::time::{Duration, Instant, timeout};

use crate::{
    mailbox::{Mailbox, Reply},
    scenarios::declaration_message,
};

/// Messages published at a time.
const WINDOW: usize = 32;

/// Longest wait for the next outcome: far longer than any takes, so that a lost one ends the run.
const OUTCOME_WAIT: Duration = Duration::from_secs(120);

/// What a run of generated lines gave.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct LoadResult {
    /// Messages sent.
    pub messages: u64,
    /// Lines sent.
    pub lines: u64,
    /// Messages without an outcome.
    pub missing: u64,
    /// Messages with more than one.
    pub duplicated: u64,
    /// From the first publication to the last outcome.
    pub elapsed: Duration,
}

/// Where generated declarations are sent.
#[derive(Debug)]
pub struct Target<'a> {
    /// A connection per party.
    pub brokers: &'a BTreeMap<PartyId, Broker>,
    /// AMQP user of each party.
    pub users: &'a BTreeMap<PartyId, String>,
}

/// Sends every declaration of `generator`, and takes outcomes as they come.
///
/// # Errors
/// Where the broker does not take a message, or an outcome does not come.
pub async fn run(
    target: &Target<'_>,
    generator: Generator,
    mailbox: &mut Mailbox,
    mut progress: impl FnMut(u64),
) -> anyhow::Result<LoadResult> {
    let started = Instant::now();
    let mut result = LoadResult::default();
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    let mut answered: BTreeSet<String> = BTreeSet::new();
    let mut declarations = generator.declarations().peekable();
    while declarations.peek().is_some() || !open.is_empty() {
        if declarations.peek().is_some() && open.len() < WINDOW * 2 {
            let window: Vec<Generated> = declarations.by_ref().take(WINDOW).collect();
            for generated in &window {
                let lines = generated.declaration.lines.len() as u64;
                result.messages += 1;
                result.lines += lines;
                let id = generated.declaration.message_id.clone().unwrap_or_default();
                open.insert(id, lines);
            }
            publish(target, window).await?;
            continue;
        }
        let next = timeout(OUTCOME_WAIT, mailbox.next()).await;
        let missing = || {
            format!(
                "{} outcomes are missing after {} s",
                open.len(),
                OUTCOME_WAIT.as_secs()
            )
        };
        let (_, reply) = next.with_context(missing)??;
        let Reply::Outcome(outcome) = reply else {
            bail!("a generated declaration was refused: {reply:?}")
        };
        match open.remove(&outcome.message_id) {
            Some(lines) => {
                progress(lines);
                answered.insert(outcome.message_id.clone());
            }
            None if answered.contains(&outcome.message_id) => result.duplicated += 1,
            None => {}
        }
    }
    result.missing = open.len() as u64;
    result.elapsed = started.elapsed();
    Ok(result)
}

async fn publish(target: &Target<'_>, window: Vec<Generated>) -> anyhow::Result<()> {
    let mut by_party: BTreeMap<PartyId, Vec<(Queue, Message)>> = BTreeMap::new();
    for generated in window {
        let user = target
            .users
            .get(&generated.party)
            .context("a generated party has no user")?;
        let id = generated
            .declaration
            .message_id
            .as_deref()
            .unwrap_or_default()
            .parse()?;
        let body = serde_json::to_vec(&generated.declaration)?;
        let mut message = declaration_message(id, body, user);
        message.headers.insert(
            SCENARIO_HEADER.to_owned(),
            noon(generated.received_on).to_string(),
        );
        by_party
            .entry(generated.party)
            .or_default()
            .push((Queue::Declarations, message));
    }
    for (party, messages) in by_party {
        let broker = target
            .brokers
            .get(&party)
            .context("a generated party has no connection")?;
        let published = broker.publish(messages).await?;
        if published
            .iter()
            .any(|published| *published != Published::Confirmed)
        {
            bail!("the broker did not take a generated declaration: {published:?}");
        }
    }
    Ok(())
}
